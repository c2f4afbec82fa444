/** What stands at the end of each form: what is wrong, and the buttons. */
import { Button, Group } from "@mantine/core";
import { shared } from "@/lib/words/shared";
import { useWords } from "@/lib/words/words";
import { Failure } from "./states";

export function FormEnd({
  sending,
  deed,
  onCancel,
}: {
  sending: { pending: boolean; error: unknown };
  /** What the button does: “Create key”. */
  deed: string;
  onCancel?: () => void;
}) {
  const words = useWords(shared);
  return (
    <>
      {sending.error != null && <Failure error={sending.error} />}
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
