/** The library's buttons and entries as links inside the dashboard: they can be opened in a new tab, and their addresses are type-checked. */
import { Anchor, type AnchorProps, Button, type ButtonProps, Menu, NavLink, type NavLinkProps } from "@mantine/core";
import { createLink } from "@tanstack/react-router";
import type { AnchorHTMLAttributes, ReactNode, Ref } from "react";

type Plain = Omit<AnchorHTMLAttributes<HTMLAnchorElement>, "style" | "color"> & { ref?: Ref<HTMLAnchorElement> };

export const TextLink = createLink((props: Plain & AnchorProps) => <Anchor {...props} />);
export const ButtonLink = createLink((props: Plain & ButtonProps) => <Button component="a" {...props} />);
export const NavItem = createLink((props: Plain & NavLinkProps) => <NavLink component="a" {...props} />);
export const MenuLink = createLink(
  (props: Plain & { leftSection?: ReactNode; rightSection?: ReactNode; disabled?: boolean }) => (
    <Menu.Item component="a" {...props} />
  ),
);
