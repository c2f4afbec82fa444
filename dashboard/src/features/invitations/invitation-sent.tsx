import { Button, Group, Stack, Text } from "@mantine/core";
import { SecretOnce } from "@/components/copy";
import { shared } from "@/lib/words/shared";
import { useWords } from "@/lib/words/words";
import type { SentInvitation } from "./api/create-invitation";
import { invitations } from "./words";

/** An invitation that has just gone out, with its link. */
export function InvitationSent({
  sent,
  another,
  close,
}: {
  sent: SentInvitation;
  another: () => void;
  close: () => void;
}) {
  const words = useWords(invitations);
  const common = useWords(shared);
  return (
    <Stack>
      <Text size="sm">{words.sent.text(sent.email)}</Text>
      <SecretOnce label={words.sent.link} secret={sent.link} />
      <Group justify="flex-end">
        <Button variant="default" onClick={another}>
          {words.sent.another}
        </Button>
        <Button onClick={close}>{common.close}</Button>
      </Group>
    </Stack>
  );
}
