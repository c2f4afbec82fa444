import { Stack, Switch, Textarea, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useState } from "react";
import { FormEnd } from "@/components/form";
import { useDraft } from "@/lib/drafts";
import { useSending } from "@/lib/forms";
import { shared } from "@/lib/words/shared";
import { useWords } from "@/lib/words/words";
import { useCreateProject } from "./api/create-project";
import type { Project } from "./api/list-projects";
import { useUpdateProject } from "./api/update-project";
import { projects } from "./words";

/** A project's name, as the API bounds it. */
const NAME = 80;

/** Makes a project; with `of`, changes that one. `mayOpen`: whether who may see it can be changed. */
export function ProjectForm({
  of: read,
  etag: version,
  mayOpen,
  done,
  cancel,
}: {
  of?: Project;
  etag?: string;
  mayOpen: boolean;
  done: (project: Project) => void;
  cancel: () => void;
}) {
  const words = useWords(projects);
  const common = useWords(shared);
  // As it was when the form was opened: what others changed since is not overwritten.
  const [{ of, etag }] = useState({ of: read, etag: version });
  const create = useCreateProject();
  const update = useUpdateProject();
  const form = useForm({
    initialValues: { name: of?.name ?? "", description: of?.description ?? "", open: of?.open ?? false },
    validate: {
      name: (value) =>
        !value.trim() ? common.errors.required : value.trim().length > NAME ? common.errors.tooLong(NAME) : null,
    },
  });
  const draft = useDraft(form, of ? `project-${of.id}` : "project", { onto: of && form.getInitialValues() });
  const sending = useSending(
    form,
    ({ name, description, open }) => {
      const body = { name: name.trim(), description: description.trim() };
      if (!of) return create.mutateAsync({ ...body, open });
      return update.mutateAsync({ id: of.id, etag, ...body, ...(open === of.open ? {} : { open }) });
    },
    (project) => {
      draft.forget();
      done(project);
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
          minRows={2}
          maxRows={8}
          {...form.getInputProps("description")}
        />
        {mayOpen && (
          <Switch
            label={words.form.open}
            description={words.form.openHint}
            {...form.getInputProps("open", { type: "checkbox" })}
          />
        )}
        <FormEnd sending={sending} draft={draft} deed={of ? common.save : words.create} onCancel={stop} />
      </Stack>
    </form>
  );
}
