import { Button, Group, Stack, Title } from "@mantine/core";
import { Samples, SecretOnce } from "@/components/copy";
import { shared } from "@/lib/words/shared";
import { useWords } from "@/lib/words/words";
import type { NewKey } from "./api/create-key";
import { samples } from "./samples";
import { keys } from "./words";

/** A key that was just made: to be copied now, and tried. */
export function NewKeyShown({ made, close }: { made: NewKey; close: () => void }) {
  const words = useWords(keys);
  const common = useWords(shared);
  return (
    <Stack>
      <SecretOnce label={words.made.secret} secret={made.key} />
      <Title order={3} mt="xs">
        {words.made.sample}
      </Title>
      <Samples
        label={words.made.sampleLabel}
        samples={samples(window.location.origin, made.key, words.made.question)}
      />
      <Group justify="flex-end">
        <Button onClick={close}>{common.secret.done}</Button>
      </Group>
    </Stack>
  );
}
