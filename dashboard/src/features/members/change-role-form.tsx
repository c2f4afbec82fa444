import { Stack, Text } from "@mantine/core";
import { useForm } from "@mantine/form";
import { FormEnd } from "@/components/form";
import { RoleSelect } from "@/components/pickers";
import { useSending } from "@/lib/forms";
import { useWords } from "@/lib/words/words";
import type { Member } from "./api/list-members";
import { useChangeRole } from "./api/update-member";
import { members } from "./words";

export function ChangeRoleForm({ of, close }: { of: Member; close: () => void }) {
  const words = useWords(members);
  const change = useChangeRole();
  const form = useForm({ initialValues: { role: of.role } });
  const sending = useSending(form, ({ role }) => change.mutateAsync({ id: of.user_id, role }), close);
  return (
    <form onSubmit={sending.submit} noValidate>
      <Stack>
        <Text size="sm">{words.change.text}</Text>
        <RoleSelect description={words.change.hint} data-autofocus {...form.getInputProps("role")} />
        <FormEnd sending={sending} deed={words.change.save} onCancel={close} />
      </Stack>
    </form>
  );
}
