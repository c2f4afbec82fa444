/** The frame around the pages of an organisation. */
import { Alert, AppShell, Box, Burger, Group, ScrollArea, Stack } from "@mantine/core";
import { useDisclosure, useHotkeys } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { Link, Outlet, useLocation, useRouteContext } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useRef, useState } from "react";
import { Brand } from "@/components/brand";
import { ConfirmProvider } from "@/components/confirm";
import { NavItem } from "@/components/links";
import { type Org, OrgProvider, useOrg } from "@/lib/org";
import { meQuery } from "@/lib/session/me";
import { useWords } from "@/lib/words/words";
import { AccountMenu } from "./account-menu";
import { FindButton } from "./find-button";
import styles from "./frame.module.css";
import { Live } from "./live";
import { type Entry, NAVIGATION } from "./navigation";
import { OrgSwitch } from "./org-switch";
import { openPalette } from "./palette-store";
import { ProjectSwitch } from "./project-switch";
import { frame } from "./words";

const Palette = lazy(() => import("./palette").then((module) => ({ default: module.Palette })));

export function Frame() {
  const loaded = useRouteContext({ from: "/o/$org" });
  // What the person may do can change while the page is open.
  const { data } = useQuery(meQuery(loaded.of.id));
  const me = data ?? loaded.me;
  const of = me.organizations.find((org) => org.id === loaded.of.id) ?? loaded.of;
  return (
    // Keyed: nothing of one organisation's pages is kept for another's.
    <OrgProvider key={of.id} me={me} of={of}>
      <ConfirmProvider>
        <Shell />
      </ConfirmProvider>
    </OrgProvider>
  );
}

function Shell() {
  const words = useWords(frame);
  const org = useOrg();
  const [opened, { toggle, close }] = useDisclosure(false);
  const { pathname } = useLocation();
  // Here and not in the palette, whose code comes later.
  useHotkeys([["mod+K", openPalette]], []);
  const first = useRef(true);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another page closes the menu, and who reads by ear begins at its content
  useEffect(() => {
    close();
    if (!first.current) document.getElementById("content")?.focus({ preventScroll: true });
    first.current = false;
  }, [pathname]);
  const state = words.states[org.status as keyof typeof words.states];

  return (
    <AppShell
      header={{ height: { base: 56, md: 0 } }}
      navbar={{ width: 248, breakpoint: "md", collapsed: { mobile: !opened } }}
      padding={{ base: "md", sm: "xl" }}
    >
      <a href="#content" className={styles.skip}>
        {words.skip}
      </a>
      <AppShell.Header hiddenFrom="md" px="md">
        <Group h="100%" justify="space-between">
          <Link to="/o/$org" params={{ org: org.address }} style={{ color: "inherit", textDecoration: "none" }}>
            <Brand />
          </Link>
          <Burger opened={opened} onClick={toggle} size="sm" aria-label={words.menu} aria-expanded={opened} />
        </Group>
      </AppShell.Header>
      <AppShell.Navbar className={styles.navbar} p="sm">
        <Stack gap="sm" pb="xs">
          <Box visibleFrom="md" px={10} pt={6}>
            <Brand />
          </Box>
          <OrgSwitch />
          <FindButton />
          {org.canSomewhere("projects.read") && <ProjectSwitch />}
        </Stack>
        <AppShell.Section grow component={ScrollArea} type="auto" mx={-4} px={4}>
          <nav aria-label={words.navigation}>
            <Entries org={org} />
          </nav>
        </AppShell.Section>
        <AppShell.Section pt="xs">
          <AccountMenu />
        </AppShell.Section>
      </AppShell.Navbar>
      <AppShell.Main id="content" tabIndex={-1} style={{ outline: "none" }}>
        {state && (
          <Alert color="yellow" variant="light" mb="lg" maw={1120} mx="auto">
            {state}
          </Alert>
        )}
        <Outlet />
      </AppShell.Main>
      <Live />
      <PaletteWhenIdle />
    </AppShell>
  );
}

function Entries({ org }: { org: Org }) {
  const words = useWords(frame);
  const offered = (NAVIGATION as readonly Entry[]).filter(
    (entry) => entry.needs.length === 0 || entry.needs.some((permission) => org.canSomewhere(permission)),
  );
  const sections = [...new Set(offered.map((entry) => entry.section))];
  return sections.map((section) => (
    <div key={section}>
      <div className={styles.section}>{words.sections[section]}</div>
      {offered
        .filter((entry) => entry.section === section)
        .map(({ area, to, icon: Picture }) => (
          <NavItem
            key={area}
            to={to}
            params={{ org: org.address }}
            activeOptions={{ exact: area === "home", includeSearch: false }}
            activeProps={{ active: true, "aria-current": "page" }}
            label={words.areas[area]}
            leftSection={<Picture size={18} stroke={1.7} aria-hidden />}
            className={styles.entry}
          />
        ))}
    </div>
  ));
}

/** The palette's code comes when the page has long been there. */
function PaletteWhenIdle() {
  const [due, setDue] = useState(false);
  useEffect(() => {
    const timer = window.setTimeout(() => setDue(true), 500);
    return () => window.clearTimeout(timer);
  }, []);
  return due ? (
    <Suspense fallback={null}>
      <Palette />
    </Suspense>
  ) : null;
}
