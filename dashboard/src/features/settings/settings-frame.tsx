/** What stands around each page of settings: their list. */
import { Grid } from "@mantine/core";
import { Outlet } from "@tanstack/react-router";
import { NavItem } from "@/components/links";
import { Page } from "@/components/page";
import type { Permission } from "@/lib/api/client";
import { useOrg } from "@/lib/org";
import { useWords } from "@/lib/words/words";
import styles from "./settings.module.css";
import { settings } from "./words";

const MINE = [
  { name: "profile", to: "/o/$org/settings" },
  { name: "security", to: "/o/$org/settings/security" },
  { name: "preferences", to: "/o/$org/settings/preferences" },
] as const;

const OURS = [
  { name: "general", to: "/o/$org/settings/organisation", needs: undefined },
  { name: "access", to: "/o/$org/settings/sign-in", needs: "org.security" },
  { name: "webhooks", to: "/o/$org/settings/webhooks", needs: "webhooks.read" },
] as const satisfies { name: string; to: string; needs: Permission | undefined }[];

export function SettingsFrame() {
  const words = useWords(settings);
  const org = useOrg();
  const entry = ({ name, to }: (typeof MINE)[number] | (typeof OURS)[number]) => (
    <NavItem
      key={name}
      to={to}
      params={{ org: org.address }}
      activeOptions={{ exact: true, includeSearch: false }}
      activeProps={{ active: true, "aria-current": "page" }}
      label={words.pages[name]}
      className={styles.entry}
    />
  );
  return (
    <Page
      title={words.title}
      help={
        <>
          <p>{words.help}</p>
          <p>{words.helpFactor}</p>
        </>
      }
    >
      <Grid gap="xl">
        <Grid.Col span={{ base: 12, md: 3 }}>
          <nav className={styles.nav} aria-label={words.navigation}>
            <div className={styles.heading}>{words.you}</div>
            {MINE.map(entry)}
            <div className={styles.heading}>
              <bdi>{org.name}</bdi>
            </div>
            {OURS.filter(({ needs }) => needs === undefined || org.can(needs)).map(entry)}
          </nav>
        </Grid.Col>
        <Grid.Col span={{ base: 12, md: 9 }}>
          <Outlet />
        </Grid.Col>
      </Grid>
    </Page>
  );
}
