import { Radio, Select, Stack, Textarea, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { FormEnd } from "@/components/form";
import { useDirectory } from "@/lib/directory";
import { useDraft } from "@/lib/drafts";
import { useSending } from "@/lib/forms";
import { useOrg } from "@/lib/org";
import { useProjectFor } from "@/lib/project";
import { shared } from "@/lib/words/shared";
import { useWords } from "@/lib/words/words";
import { useCreateCollection } from "./api/create-collection";
import type { Collection } from "./api/list-collections";
import { useUpdateCollection } from "./api/update-collection";
import { knowledge } from "./words";

const WHOLE = "whole";
/** A collection's name and description, as the API bounds them. */
const NAME = 120;
const DESCRIPTION = 1000;

export function CreateCollectionForm({ done, cancel }: { done: (made: Collection) => void; cancel: () => void }) {
  const words = useWords(knowledge);
  const common = useWords(shared);
  const org = useOrg();
  const project = useProjectFor("knowledge.write");
  const directory = useDirectory();
  const create = useCreateCollection();
  const form = useForm({
    initialValues: {
      name: "",
      description: "",
      project_id: project ?? WHOLE,
      access: "project" as Collection["access"],
    },
    validate: { name: (value) => (value.trim() ? null : common.errors.required) },
  });
  const draft = useDraft(form, `create-collection-in-${project ?? WHOLE}`);
  const sending = useSending(
    form,
    ({ name, description, project_id, access }) =>
      create.mutateAsync({
        name: name.trim(),
        description: description.trim(),
        access,
        ...(project_id === WHOLE ? {} : { project_id }),
      }),
    (made) => {
      draft.forget();
      done(made);
    },
  );
  return (
    <form onSubmit={sending.submit} noValidate>
      <Stack>
        <TextInput label={words.form.name} maxLength={NAME} required data-autofocus {...form.getInputProps("name")} />
        <Textarea
          label={`${words.form.description} (${common.optional})`}
          maxLength={DESCRIPTION}
          autosize
          minRows={2}
          {...form.getInputProps("description")}
        />
        {directory.projects.length > 0 && (
          <Select
            label={words.form.project}
            data={[
              ...(org.can("knowledge.write") ? [{ value: WHOLE, label: words.wholeOrg }] : []),
              ...directory.projects
                .filter(({ id }) => org.can("knowledge.write", id))
                .map(({ id, name }) => ({ value: id, label: name })),
            ]}
            allowDeselect={false}
            {...form.getInputProps("project_id")}
          />
        )}
        <Radio.Group label={words.form.access} {...form.getInputProps("access")}>
          <Stack gap="xs" mt={6}>
            {(["project", "shared", "private"] as const).map((access) => (
              <Radio key={access} value={access} label={words.form.accesses[access]} />
            ))}
          </Stack>
        </Radio.Group>
        <FormEnd sending={sending} draft={draft} deed={words.create} onCancel={draft.ending(cancel)} />
      </Stack>
    </form>
  );
}

export function EditCollectionForm({ of, close }: { of: Collection; close: () => void }) {
  const words = useWords(knowledge);
  const common = useWords(shared);
  const update = useUpdateCollection(of.id);
  const form = useForm({
    initialValues: { name: of.name, description: of.description },
    validate: { name: (value) => (value.trim() ? null : common.errors.required) },
  });
  const sending = useSending(
    form,
    ({ name, description }) => update.mutateAsync({ name: name.trim(), description: description.trim() }),
    close,
  );
  return (
    <form onSubmit={sending.submit} noValidate>
      <Stack>
        <TextInput label={words.form.name} maxLength={NAME} required data-autofocus {...form.getInputProps("name")} />
        <Textarea
          label={`${words.form.description} (${common.optional})`}
          maxLength={DESCRIPTION}
          autosize
          minRows={2}
          {...form.getInputProps("description")}
        />
        <FormEnd sending={sending} deed={common.save} onCancel={close} />
      </Stack>
    </form>
  );
}
