import { Radio, Stack, Text } from "@mantine/core";
import { useForm } from "@mantine/form";
import { FormEnd } from "@/components/form";
import { useSending } from "@/lib/forms";
import { useWords } from "@/lib/words/words";
import type { NewKey } from "./api/create-key";
import type { Key } from "./api/list-keys";
import { useRotateKey } from "./api/rotate-key";
import { keys } from "./words";

const GRACES = { none: 0, hour: 3600, day: 86_400 } as const;

export function RotateKeyForm({ of, done, cancel }: { of: Key; done: (key: NewKey) => void; cancel: () => void }) {
  const words = useWords(keys);
  const rotate = useRotateKey();
  const form = useForm({ initialValues: { grace: "hour" as keyof typeof GRACES } });
  const sending = useSending(
    form,
    ({ grace }) => rotate.mutateAsync({ id: of.id, grace_seconds: GRACES[grace] }),
    done,
  );
  return (
    <form onSubmit={sending.submit} noValidate>
      <Stack>
        <Text size="sm">{words.rotate.text}</Text>
        <Radio.Group label={words.rotate.grace} {...form.getInputProps("grace")}>
          <Stack gap="xs" mt={6}>
            {(["none", "hour", "day"] as const).map((grace) => (
              <Radio key={grace} value={grace} label={words.rotate.graces[grace]} />
            ))}
          </Stack>
        </Radio.Group>
        <FormEnd sending={sending} deed={words.rotate.deed} onCancel={cancel} />
      </Stack>
    </form>
  );
}
