import {
  Avatar,
  Box,
  type MantineColorScheme,
  Menu,
  Text,
  UnstyledButton,
  useMantineColorScheme,
  VisuallyHidden,
} from "@mantine/core";
import { IconBook2, IconLogout, IconSelector, IconServerCog, IconSettings } from "@tabler/icons-react";
import { MenuLink } from "@/components/links";
import { useOrg } from "@/lib/org";
import { useSession } from "@/lib/session/session";
import { useSignOut } from "@/lib/session/sign-out";
import { LANGUAGES, speak, useLanguage, useWords } from "@/lib/words/words";
import styles from "./frame.module.css";
import { frame } from "./words";

const SCHEMES = ["light", "dark", "auto"] as const;

export function AccountMenu() {
  const words = useWords(frame);
  const language = useLanguage();
  const org = useOrg();
  const session = useSession();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const leave = useSignOut();
  return (
    <Menu width="target" position="top-start">
      <Menu.Target>
        <UnstyledButton className={styles.switch}>
          <VisuallyHidden>{words.account} </VisuallyHidden>
          <Avatar name={org.person.name} color="initials" size={30} aria-hidden />
          <Box flex={1} miw={0}>
            <Text size="sm" fw={550} truncate>
              <bdi>{org.person.name}</bdi>
            </Text>
            <Text size="xs" c="dimmed" truncate>
              {org.person.email}
            </Text>
          </Box>
          <IconSelector size={16} aria-hidden />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <MenuLink
          to="/o/$org/settings"
          params={{ org: org.address }}
          leftSection={<IconSettings size={16} aria-hidden />}
        >
          {words.settings}
        </MenuLink>
        {session?.operator && (
          <MenuLink to="/operator" leftSection={<IconServerCog size={16} aria-hidden />}>
            {words.operator}
          </MenuLink>
        )}
        <Menu.Item
          component="a"
          href="/api/docs"
          target="_blank"
          rel="noreferrer"
          leftSection={<IconBook2 size={16} aria-hidden />}
        >
          {words.apiDocs}
        </Menu.Item>
        <Menu.Label>{words.theme}</Menu.Label>
        <Menu.RadioGroup value={colorScheme} onChange={(scheme) => setColorScheme(scheme as MantineColorScheme)}>
          {SCHEMES.map((scheme) => (
            <Menu.RadioItem key={scheme} value={scheme}>
              {words.themes[scheme]}
            </Menu.RadioItem>
          ))}
        </Menu.RadioGroup>
        <Menu.Label>{words.language}</Menu.Label>
        <Menu.RadioGroup value={language} onChange={speak}>
          {Object.entries(LANGUAGES).map(([tag, name]) => (
            <Menu.RadioItem key={tag} value={tag} lang={tag}>
              {name}
            </Menu.RadioItem>
          ))}
        </Menu.RadioGroup>
        <Menu.Divider />
        <Menu.Item leftSection={<IconLogout size={16} aria-hidden />} onClick={() => leave.mutate()}>
          {words.signOut}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
