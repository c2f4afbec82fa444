/** The parts of an area, as links in a line below the title. */
import { createLink } from "@tanstack/react-router";
import type { AnchorHTMLAttributes, ReactNode, Ref } from "react";
import styles from "./sub-nav.module.css";

export function SubNav({ label, children }: { label: string; children: ReactNode }) {
  return (
    <nav aria-label={label} className={styles.nav}>
      {children}
    </nav>
  );
}

type Plain = AnchorHTMLAttributes<HTMLAnchorElement> & { ref?: Ref<HTMLAnchorElement> };

/** A part; the one that is shown says so to those who listen, too. */
export const SubNavItem = createLink((props: Plain) => <a {...props} className={styles.item} />);
