import { ActionIcon, Button, Fieldset, Group, Select, Stack, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { IconPlus, IconTrash } from "@tabler/icons-react";
import { useState } from "react";
import { FormEnd } from "@/components/form";
import { Failure, Loading } from "@/components/states";
import { ApiError } from "@/lib/api/error";
import type { Tagged } from "@/lib/api/tagged";
import { useDraft } from "@/lib/drafts";
import { useSending } from "@/lib/forms";
import { useProject } from "@/lib/project";
import { shared } from "@/lib/words/shared";
import { useWords } from "@/lib/words/words";
import { type Alias, UNGIVEN, useAlias, useAliasDeeds } from "./api/aliases";
import { useModels } from "./api/models";
import { models } from "./words";

/** As many as the API takes. */
const MOST = 8;
/** Parts a provider from a model where both stand in one value; neither has it in its name. */
const BETWEEN = "\n";

export function EditAlias({ of, done }: { of: Alias; done: () => void }) {
  const alias = useAlias(of);
  if (alias.error && !alias.data) return <Failure error={alias.error} retry={() => void alias.refetch()} />;
  if (!alias.data) return <Loading />;
  return <AliasForm of={alias.data} done={done} />;
}

/** Says what a name stands for: a new one, or one there is. */
export function AliasForm({ of: read, done }: { of?: Tagged<Alias>; done: () => void }) {
  const words = useWords(models).alias;
  const common = useWords(shared);
  const project = useProject();
  const known = useModels();
  const { put } = useAliasDeeds();
  // As it was when the form was opened: what others changed since is not overwritten.
  const [{ thing: of, tag }] = useState(read ?? { thing: undefined, tag: UNGIVEN });
  const form = useForm({
    initialValues: {
      alias: of?.alias ?? "",
      targets: of ? of.targets.map(({ provider, model }) => `${provider}${BETWEEN}${model}`) : [""],
    },
    validate: {
      alias: (value) => (value.trim() ? null : common.errors.required),
      targets: (value) => (value.some(Boolean) ? null : words.chooseOne),
    },
  });
  const draft = useDraft(form, of ? `alias-${of.alias}-${of.project_id}` : `alias-in-${project}`, {
    onto: of && form.getInitialValues(),
  });
  const sending = useSending(
    form,
    ({ alias, targets }) =>
      put.mutateAsync({
        alias: alias.trim(),
        project: of ? of.project_id : project,
        tag,
        targets: targets.filter(Boolean).map((value) => {
          const [provider = "", model = ""] = value.split(BETWEEN);
          return { provider, model };
        }),
      }),
    draft.ending(done),
    {
      handle: (error) => {
        if (of || !(error instanceof ApiError) || error.code !== "stale") return false;
        form.setFieldError("alias", words.taken);
        form.getInputNode("alias")?.focus();
        return true;
      },
    },
  );
  // Those that are named already are offered, whether they are there now or not.
  const options = new Map<string, string>();
  for (const { id, provider, provider_name, targets } of known.data?.data ?? []) {
    if (!targets && provider) options.set(`${provider}${BETWEEN}${id}`, `${id} (${provider_name ?? provider})`);
  }
  for (const { provider, model } of of?.targets ?? []) {
    const value = `${provider}${BETWEEN}${model}`;
    if (!options.has(value)) options.set(value, `${model} (${provider})`);
  }
  const data = [...options].map(([value, label]) => ({ value, label }));
  const { targets } = form.values;
  return (
    <form onSubmit={sending.submit} noValidate>
      <Stack>
        {!of && (
          <TextInput
            label={words.name}
            description={words.nameHint}
            required
            data-autofocus
            {...form.getInputProps("alias")}
          />
        )}
        <Fieldset legend={words.targets}>
          <Stack gap="xs">
            {targets.map((value, at) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: a choice is its place
              <Group key={at} gap="xs" wrap="nowrap" align="flex-start">
                <Select
                  flex={1}
                  aria-label={words.target(String(at + 1))}
                  placeholder={words.target(String(at + 1))}
                  data={data}
                  value={value || null}
                  onChange={(chosen) => form.setFieldValue(`targets.${at}`, chosen ?? "")}
                  error={at === 0 ? form.errors.targets : undefined}
                  searchable
                />
                {targets.length > 1 && (
                  <ActionIcon
                    variant="subtle"
                    color="gray"
                    size="lg"
                    aria-label={words.remove(String(at + 1))}
                    onClick={() => form.removeListItem("targets", at)}
                  >
                    <IconTrash size={16} aria-hidden />
                  </ActionIcon>
                )}
              </Group>
            ))}
            {targets.length < MOST && (
              <Group>
                <Button
                  variant="subtle"
                  size="compact-sm"
                  leftSection={<IconPlus size={14} aria-hidden />}
                  onClick={() => form.insertListItem("targets", "")}
                >
                  {words.add}
                </Button>
              </Group>
            )}
          </Stack>
        </Fieldset>
        <FormEnd sending={sending} draft={draft} deed={common.save} onCancel={draft.ending(done)} />
      </Stack>
    </form>
  );
}
