/** The frame of the operator's console: an area of its own, so that nobody takes it for an organisation. */
import { Badge, Box, Group } from "@mantine/core";
import { IconArrowLeft } from "@tabler/icons-react";
import { Outlet } from "@tanstack/react-router";
import { Brand } from "@/components/brand";
import { ConfirmProvider } from "@/components/confirm";
import { LanguageSwitch } from "@/components/language-switch";
import { ButtonLink } from "@/components/links";
import { SubNav, SubNavItem } from "@/components/sub-nav";
import { useWords } from "@/lib/words/words";
import { operator } from "./words";

const WIDTH = 1120;

export function OperatorFrame() {
  const words = useWords(operator);
  const active = { activeOptions: { includeSearch: false } };
  return (
    <Box px={{ base: "md", sm: "xl" }} pb="xl">
      <Box component="header" maw={WIDTH} mx="auto">
        <Group justify="space-between" py="md" gap="sm">
          <Group gap="sm">
            <Brand />
            <Badge variant="filled" color="dark" tt="none">
              {words.title}
            </Badge>
          </Group>
          <Group gap="xs">
            <LanguageSwitch />
            <ButtonLink to="/" variant="default" size="xs" leftSection={<IconArrowLeft size={14} aria-hidden />}>
              {words.leave}
            </ButtonLink>
          </Group>
        </Group>
        <SubNav label={words.parts}>
          <SubNavItem to="/operator" activeOptions={{ exact: true, includeSearch: false }}>
            {words.orgs}
          </SubNavItem>
          <SubNavItem to="/operator/people" {...active}>
            {words.people}
          </SubNavItem>
          <SubNavItem to="/operator/plans" {...active}>
            {words.plans}
          </SubNavItem>
          <SubNavItem to="/operator/mails" {...active}>
            {words.mails}
          </SubNavItem>
          <SubNavItem to="/operator/erasures" {...active}>
            {words.erasures}
          </SubNavItem>
          <SubNavItem to="/operator/system" {...active}>
            {words.system}
          </SubNavItem>
        </SubNav>
      </Box>
      <main id="content">
        <ConfirmProvider>
          <Outlet />
        </ConfirmProvider>
      </main>
    </Box>
  );
}
