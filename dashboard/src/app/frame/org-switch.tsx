/** Which organisation this tab is at, and the way to the others: open the menu, choose. */
import { Avatar, Box, Menu, Text, UnstyledButton, VisuallyHidden } from "@mantine/core";
import { IconCheck, IconPlus, IconSelector } from "@tabler/icons-react";
import { MenuLink } from "@/components/links";
import { addressOf, useOrg } from "@/lib/org";
import { useWords } from "@/lib/words/words";
import styles from "./frame.module.css";
import { frame } from "./words";

export function OrgSwitch() {
  const words = useWords(frame);
  const org = useOrg();
  return (
    <Menu width="target" position="bottom-start">
      <Menu.Target>
        <UnstyledButton className={styles.switch}>
          <VisuallyHidden>{words.organisation} </VisuallyHidden>
          <Avatar name={org.name} color="initials" radius="md" size={32} aria-hidden />
          <Box flex={1} miw={0}>
            <Text size="sm" fw={600} truncate>
              <bdi>{org.name}</bdi>
            </Text>
            <Text size="xs" c="dimmed" truncate tt="capitalize">
              {org.plan}
            </Text>
          </Box>
          <IconSelector size={16} aria-hidden />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown mah={420} style={{ overflowY: "auto" }}>
        <Menu.Label>{words.organisations}</Menu.Label>
        {org.siblings.map((other) => (
          <MenuLink
            key={other.id}
            to="/o/$org"
            params={{ org: addressOf(other, org.siblings) }}
            // What is not named goes along, and the project is this organisation's.
            search={{ project: undefined }}
            leftSection={<Avatar name={other.name} color="initials" radius="sm" size={22} aria-hidden />}
            rightSection={other.id === org.id ? <IconCheck size={16} aria-hidden /> : null}
          >
            <bdi>{other.name}</bdi>
          </MenuLink>
        ))}
        <Menu.Divider />
        <MenuLink to="/welcome" leftSection={<IconPlus size={16} aria-hidden />}>
          {words.newOrg}
        </MenuLink>
      </Menu.Dropdown>
    </Menu>
  );
}
