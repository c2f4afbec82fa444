import { Checkbox, Fieldset, Select, SimpleGrid, Stack, Text, Textarea, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useState } from "react";
import { FormEnd } from "@/components/form";
import type { Permission } from "@/lib/api/client";
import { useDraft } from "@/lib/drafts";
import { useSending } from "@/lib/forms";
import { useOrg } from "@/lib/org";
import { useRoles } from "@/lib/roster";
import { PERMISSIONS, permissionGroups, permissionWords } from "@/lib/words/permissions";
import { shared } from "@/lib/words/shared";
import { useWords } from "@/lib/words/words";
import { useCreateRole } from "./api/create-role";
import type { VersionedRole } from "./api/get-role";
import { useUpdateRole } from "./api/update-role";
import { roles as wordsOf } from "./words";

/** A role's name, as the API bounds it. */
const NAME = 60;
const NOTHING = "nothing";

/** Makes a role; with `of`, changes that one. */
export function RoleForm({ of: read, done, cancel }: { of?: VersionedRole; done: () => void; cancel: () => void }) {
  // As it was when the form was opened: what others changed since is not overwritten.
  const [of] = useState(read);
  const words = useWords(wordsOf);
  const common = useWords(shared);
  const org = useOrg();
  const { grantable, find, nameOf } = useRoles();
  const create = useCreateRole();
  const update = useUpdateRole();
  const form = useForm({
    initialValues: {
      name: of?.value.name ?? "",
      description: of?.value.description ?? "",
      permissions: (of?.value.permissions ?? []) as Permission[],
    },
    validate: {
      name: (value) =>
        !value.trim() ? common.errors.required : value.trim().length > NAME ? common.errors.tooLong(NAME) : null,
      permissions: (value) => (value.length === 0 ? words.form.none : null),
    },
  });
  const draft = useDraft(form, of ? `role-${of.value.id}` : "role", { onto: of && form.getInitialValues() });
  const sending = useSending(
    form,
    ({ name, description, permissions }) => {
      const body = { name: name.trim(), description: description.trim(), permissions };
      return of ? update.mutateAsync({ id: of.value.id, etag: of.etag, ...body }) : create.mutateAsync(body);
    },
    () => {
      draft.forget();
      done();
    },
  );
  const stop = () => {
    draft.forget();
    cancel();
  };
  return (
    <form onSubmit={sending.submit} noValidate>
      <Stack>
        <TextInput label={words.form.name} required data-autofocus {...form.getInputProps("name")} />
        <Textarea
          label={`${words.form.description} (${common.optional})`}
          autosize
          minRows={1}
          {...form.getInputProps("description")}
        />
        {!of && (
          <Select
            label={words.form.from}
            defaultValue={NOTHING}
            allowDeselect={false}
            data={[
              { value: NOTHING, label: words.form.fromNone },
              ...grantable.map(({ id }) => ({ value: id, label: nameOf(id) })),
            ]}
            onChange={(id) => form.setFieldValue("permissions", [...(find(id ?? "")?.permissions ?? [])])}
          />
        )}
        <Fieldset legend={words.form.may}>
          <Text size="sm" c="dimmed" mb="sm">
            {words.form.hint}
          </Text>
          <Checkbox.Group {...form.getInputProps("permissions")}>
            <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="md">
              {PERMISSIONS.map(({ group, permissions }) => {
                const offered = permissions.filter(
                  (permission) => org.can(permission) || form.values.permissions.includes(permission),
                );
                return offered.length === 0 ? null : <Group key={group} name={group} permissions={offered} />;
              })}
            </SimpleGrid>
          </Checkbox.Group>
        </Fieldset>
        <FormEnd sending={sending} draft={draft} deed={of ? common.save : words.create} onCancel={stop} />
      </Stack>
    </form>
  );
}

function Group({ name, permissions }: { name: (typeof PERMISSIONS)[number]["group"]; permissions: Permission[] }) {
  const groups = useWords(permissionGroups);
  const may = useWords(permissionWords);
  const org = useOrg();
  return (
    <div>
      <Text size="sm" fw={600} mb={6}>
        {groups[name]}
      </Text>
      <Stack gap={6}>
        {permissions.map((permission) => (
          <Checkbox
            key={permission}
            value={permission}
            label={may[permission]}
            size="sm"
            disabled={!org.can(permission)}
          />
        ))}
      </Stack>
    </div>
  );
}
