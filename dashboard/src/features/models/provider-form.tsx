import { PasswordInput, Radio, Select, Stack, TagsInput, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useState } from "react";
import { FormEnd } from "@/components/form";
import { Failure, Loading } from "@/components/states";
import type { Schemas } from "@/lib/api/client";
import type { Tagged } from "@/lib/api/tagged";
import { useDraft } from "@/lib/drafts";
import { useSending } from "@/lib/forms";
import { useOrg } from "@/lib/org";
import { useProject } from "@/lib/project";
import { shared } from "@/lib/words/shared";
import { useWords } from "@/lib/words/words";
import { type Provider, useProvider, useProviderDeeds } from "./api/providers";
import { models } from "./words";

type Kind = Schemas["ProviderKind"];

export function CreateProviderForm({ done, cancel }: { done: () => void; cancel: () => void }) {
  const words = useWords(models).provider;
  const common = useWords(shared);
  const org = useOrg();
  const project = useProject();
  const { create } = useProviderDeeds();
  const mayShare = org.can("providers.write", project);
  const form = useForm({
    initialValues: {
      kind: "openai" as Kind,
      name: "",
      api_key: "",
      base_url: "",
      for: mayShare ? "all" : "me",
      models: [] as string[],
    },
    validate: { base_url: (value) => (isAddress(value) ? null : words.badAddress) },
  });
  const draft = useDraft(form, "create-provider", { secret: ["api_key"] });
  const sending = useSending(
    form,
    (values) =>
      create.mutateAsync({
        kind: values.kind,
        ...(values.name.trim() ? { name: values.name.trim() } : {}),
        ...(values.api_key ? { api_key: values.api_key } : {}),
        ...(values.base_url.trim() ? { base_url: values.base_url.trim() } : {}),
        ...(values.for === "me" ? { user_only: true } : project ? { project_id: project } : {}),
        ...(values.models.length > 0 ? { models: values.models } : {}),
      } as Schemas["CreateProvider"]),
    () => {
      draft.forget();
      done();
    },
  );
  return (
    <form onSubmit={sending.submit} noValidate autoComplete="off">
      <Stack>
        <Select
          label={words.kind}
          data={(["openai", "anthropic"] as const).map((value) => ({ value, label: words.kinds[value] }))}
          allowDeselect={false}
          data-autofocus
          {...form.getInputProps("kind")}
        />
        <TextInput label={`${words.name} (${common.optional})`} {...form.getInputProps("name")} />
        <PasswordInput
          label={words.key}
          description={words.keyHint}
          autoComplete="off"
          {...form.getInputProps("api_key")}
        />
        <TextInput
          label={`${words.address} (${common.optional})`}
          description={words.addressHint}
          type="url"
          {...form.getInputProps("base_url")}
        />
        <TagsInput
          label={`${words.modelsField} (${common.optional})`}
          description={words.modelsHint}
          {...form.getInputProps("models")}
        />
        {mayShare && (
          <Radio.Group label={words.for} {...form.getInputProps("for")}>
            <Stack gap="xs" mt={6}>
              <Radio value="all" label={words.forAll} />
              {org.can("providers.own") && <Radio value="me" label={words.forMe} />}
            </Stack>
          </Radio.Group>
        )}
        <FormEnd sending={sending} draft={draft} deed={words.create} onCancel={draft.ending(cancel)} />
      </Stack>
    </form>
  );
}

export function EditProvider({ id, done }: { id: string; done: () => void }) {
  const provider = useProvider(id);
  if (provider.error) return <Failure error={provider.error} retry={() => void provider.refetch()} />;
  if (!provider.data) return <Loading />;
  return <EditProviderForm of={provider.data} done={done} />;
}

function EditProviderForm({ of, done }: { of: Tagged<Provider>; done: () => void }) {
  // As it was when the form was opened: what others changed since is not overwritten.
  const [{ thing, tag }] = useState(of);
  const words = useWords(models).provider;
  const common = useWords(shared);
  const { update } = useProviderDeeds();
  const form = useForm({
    initialValues: { name: thing.name as string, api_key: "", base_url: thing.base_url },
    validate: {
      name: (value) => (value.trim() ? null : common.errors.required),
      base_url: (value) => (value.trim() && isAddress(value) ? null : words.badAddress),
      api_key: (value, { base_url }) =>
        base_url.trim() !== thing.base_url && thing.key_last4 && !value ? words.addressChanged : null,
    },
  });
  const sending = useSending(
    form,
    ({ name, api_key, base_url }) =>
      update.mutateAsync({
        id: thing.id,
        tag,
        body: {
          ...(name.trim() === thing.name ? {} : { name: name.trim() }),
          ...(api_key ? { api_key } : {}),
          ...(base_url.trim() === thing.base_url ? {} : { base_url: base_url.trim() }),
        },
      }),
    done,
  );
  return (
    <form onSubmit={sending.submit} noValidate autoComplete="off">
      <Stack>
        <TextInput label={words.name} data-autofocus {...form.getInputProps("name")} />
        <PasswordInput
          label={words.key}
          description={words.keyKeep}
          autoComplete="off"
          {...form.getInputProps("api_key")}
        />
        <TextInput label={words.address} type="url" {...form.getInputProps("base_url")} />
        <FormEnd sending={sending} deed={common.save} onCancel={done} />
      </Stack>
    </form>
  );
}

/** An address, or nothing. */
function isAddress(typed: string): boolean {
  return !typed.trim() || /^https?:\/\/\S+$/.test(typed.trim());
}
