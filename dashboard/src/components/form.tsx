/** What stands at the end of each form: what is wrong, what was typed before, and the buttons. */
import { Button, Group, Text } from "@mantine/core";
import type { Draft } from "@/lib/drafts";
import { shared } from "@/lib/words/shared";
import { useWords } from "@/lib/words/words";
import { Failure } from "./states";

export function FormEnd({
  sending,
  draft,
  deed,
  onCancel,
}: {
  sending: { pending: boolean; error: unknown };
  /** What the form keeps of itself, if it does. */
  draft?: Draft;
  /** What the button does: “Create key”. */
  deed: string;
  onCancel?: () => void;
}) {
  const words = useWords(shared);
  return (
    <>
      {sending.error != null && <Failure error={sending.error} />}
      {draft?.restored && (
        <Group justify="space-between" gap="xs">
          <Text size="sm" c="dimmed" role="status">
            {words.draft.restored}
          </Text>
          <Button variant="subtle" size="compact-sm" onClick={draft.discard}>
            {words.draft.discard}
          </Button>
        </Group>
      )}
      <Group justify="flex-end">
        {onCancel && (
          <Button variant="default" onClick={onCancel}>
            {words.cancel}
          </Button>
        )}
        <Button type="submit" loading={sending.pending}>
          {deed}
        </Button>
      </Group>
    </>
  );
}
