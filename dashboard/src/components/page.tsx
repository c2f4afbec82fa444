/** A page: its title, what it is for, its help, and what can be done on it. */
import { ActionIcon, Box, Drawer, Group, Text, Title, Tooltip, Typography } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconHelpCircle } from "@tabler/icons-react";
import { type ReactNode, useEffect } from "react";
import { shared } from "@/lib/words/shared";
import { useWords } from "@/lib/words/words";

export function Page({
  title,
  intro,
  help,
  actions,
  children,
  width = 1120,
}: {
  title: string;
  /** One line below the title. */
  intro?: ReactNode;
  /** What the page's help says; every page has some. */
  help: ReactNode;
  /** Buttons beside the title; the main one last. */
  actions?: ReactNode;
  children: ReactNode;
  /** In pixels, at most. */
  width?: number;
}) {
  const words = useWords(shared);
  const [helping, { open, close }] = useDisclosure(false);
  useTitle(title);
  return (
    <Box maw={width} mx="auto" w="100%">
      <Group justify="space-between" align="flex-start" gap="md" mb="lg">
        <Box flex="1 1 280px" miw={0}>
          <Group gap={6} wrap="nowrap">
            <Title order={1}>{title}</Title>
            <Tooltip label={words.help}>
              <ActionIcon variant="subtle" color="gray" aria-label={words.helpFor(title)} onClick={open}>
                <IconHelpCircle size={18} aria-hidden />
              </ActionIcon>
            </Tooltip>
          </Group>
          {intro && (
            <Text component="div" c="dimmed" size="sm" mt={4} maw={680}>
              {intro}
            </Text>
          )}
        </Box>
        {actions && <Group gap="sm">{actions}</Group>}
      </Group>
      {children}
      <Drawer opened={helping} onClose={close} position="right" title={words.helpFor(title)} padding="lg">
        <Typography fz="sm">{help}</Typography>
      </Drawer>
    </Box>
  );
}

/** Names the browser's tab. */
export function useTitle(title: string) {
  useEffect(() => {
    document.title = `${title} · Rowhouse`;
  }, [title]);
}
