/** What stands where there is nothing to show: not yet, nothing at all, or not because something failed. */
import { Alert, Button, Group, Skeleton, Stack, Text, ThemeIcon, Title } from "@mantine/core";
import { type Icon, IconAlertTriangle, IconRefresh } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { ApiError } from "@/lib/api/error";
import { useErrorText } from "@/lib/api/error-text";
import { shared } from "@/lib/words/shared";
import { useWords } from "@/lib/words/words";

/** Grey lines in the place of what is loading. */
export function Loading({ lines = 4 }: { lines?: number }) {
  const words = useWords(shared);
  return (
    <Stack gap="sm" role="status" aria-label={words.loading}>
      {Array.from({ length: lines }, (_, line) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the lines are alike
        <Skeleton key={line} height={18} width={`${92 - ((line * 17) % 35)}%`} />
      ))}
    </Stack>
  );
}

/** What an empty list says: what would be here, why one would want it, and the one thing to do. */
export function Empty({
  icon: Picture,
  title,
  text,
  action,
  page,
}: {
  icon: Icon;
  title: string;
  text: ReactNode;
  action?: ReactNode;
  /** Whether it is all that the page says. */
  page?: boolean;
}) {
  return (
    <Stack align="center" gap="xs" py={48} px="md" ta="center">
      <ThemeIcon size={52} radius="xl" variant="light" aria-hidden>
        <Picture size={26} stroke={1.6} />
      </ThemeIcon>
      <Title order={page ? 1 : 2} size="h2" mt="xs">
        {title}
      </Title>
      <Text c="dimmed" maw={440} size="sm">
        {text}
      </Text>
      {action && <Group mt="sm">{action}</Group>}
    </Stack>
  );
}

/** What went wrong, in words, with the id that an operator finds it by. */
export function Failure({ error, title, retry }: { error: unknown; title?: string; retry?: () => void }) {
  const words = useWords(shared);
  const text = useErrorText();
  return (
    <Alert
      color="red"
      variant="light"
      icon={<IconAlertTriangle aria-hidden />}
      title={title ?? words.errors.title}
      role="alert"
    >
      <Stack gap="xs" align="flex-start">
        <Text size="sm">{text(error)}</Text>
        {error instanceof ApiError && error.requestId && error.status >= 500 && (
          <Text size="xs" ff="monospace">
            {words.errors.request(error.requestId)}
          </Text>
        )}
        {retry && (
          <Button size="xs" variant="default" leftSection={<IconRefresh size={14} aria-hidden />} onClick={retry}>
            {words.retry}
          </Button>
        )}
      </Stack>
    </Alert>
  );
}
