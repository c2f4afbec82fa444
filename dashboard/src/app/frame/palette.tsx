/** The command palette: every page, organisation and switch, by typing. */
import "@mantine/spotlight/styles.css";
import { useMantineColorScheme } from "@mantine/core";
import { Spotlight, type SpotlightActionGroupData } from "@mantine/spotlight";
import { IconBuilding, IconLanguage, IconLogout, IconMoon, IconSearch, IconSun } from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import { addressOf, useOrg } from "@/lib/org";
import { useSignOut } from "@/lib/session/sign-out";
import { LANGUAGES, speak, useWords } from "@/lib/words/words";
import { type Entry, NAVIGATION } from "./navigation";
import { paletteStore } from "./palette-store";
import { frame } from "./words";

export function Palette() {
  const words = useWords(frame);
  const org = useOrg();
  const navigate = useNavigate();
  const leave = useSignOut();
  const { setColorScheme } = useMantineColorScheme();

  const pages = (NAVIGATION as readonly Entry[])
    .filter((entry) => entry.needs.length === 0 || entry.needs.some((permission) => org.canSomewhere(permission)))
    .map(({ area, to, icon: Picture }) => ({
      id: `page-${area}`,
      label: words.areas[area],
      leftSection: <Picture size={18} stroke={1.7} aria-hidden />,
      onClick: () => void navigate({ to, params: { org: org.address } }),
    }));
  const others = org.siblings
    .filter((other) => other.id !== org.id)
    .map((other) => ({
      id: other.id,
      label: other.name,
      leftSection: <IconBuilding size={18} stroke={1.7} aria-hidden />,
      onClick: () =>
        void navigate({
          to: "/o/$org",
          params: { org: addressOf(other, org.siblings) },
          search: { project: undefined },
        }),
    }));
  const switches = [
    ...(["light", "dark"] as const).map((scheme) => ({
      id: scheme,
      label: `${words.theme}: ${words.themes[scheme]}`,
      leftSection: scheme === "light" ? <IconSun size={18} aria-hidden /> : <IconMoon size={18} aria-hidden />,
      onClick: () => setColorScheme(scheme),
    })),
    ...Object.entries(LANGUAGES).map(([tag, name]) => ({
      id: tag,
      label: `${words.language}: ${name}`,
      leftSection: <IconLanguage size={18} aria-hidden />,
      onClick: () => speak(tag),
    })),
    {
      id: "sign-out",
      label: words.signOut,
      leftSection: <IconLogout size={18} aria-hidden />,
      onClick: () => leave.mutate(),
    },
  ];
  const actions: SpotlightActionGroupData[] = [
    { group: org.name, actions: pages },
    ...(others.length > 0 ? [{ group: words.organisations, actions: others }] : []),
    { group: words.settings, actions: switches },
  ];

  return (
    <Spotlight
      store={paletteStore}
      actions={actions}
      shortcut={null}
      nothingFound={words.nothingFound}
      scrollable
      maxHeight={420}
      highlightQuery
      attributes={{ content: { "aria-label": words.find } }}
      searchProps={{
        leftSection: <IconSearch size={18} aria-hidden />,
        placeholder: words.findHint,
        "aria-label": words.findHint,
      }}
    />
  );
}
