import { Box, Card, Group, Text, Title } from "@mantine/core";
import type { ReactNode } from "react";

/** A part of a page of settings: what it is about, and what can be set. `danger` marks what cannot be taken back. */
export function Section({
  title,
  text,
  action,
  danger,
  children,
}: {
  title: string;
  text?: ReactNode;
  /** A button at the end of its heading. */
  action?: ReactNode;
  danger?: boolean;
  children?: ReactNode;
}) {
  return (
    <Card
      component="section"
      aria-label={title}
      style={danger ? { borderColor: "var(--mantine-color-red-light-hover)" } : undefined}
    >
      <Group justify="space-between" align="flex-start" gap="md">
        <Box flex="1 1 260px" miw={0}>
          <Title order={2}>{title}</Title>
          {text && (
            <Text size="sm" c="dimmed" mt={4} maw={620} component="div">
              {text}
            </Text>
          )}
        </Box>
        {action}
      </Group>
      {children && <Box mt="md">{children}</Box>}
    </Card>
  );
}
