/** The sources of a collection: pages of the web that are brought again when they change. */
import { Button, Group, Menu, Modal, SegmentedControl, Stack, Text, Textarea, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { IconPlus, IconRefresh, IconTrash, IconWorldDown } from "@tabler/icons-react";
import { useState } from "react";
import { useConfirm } from "@/components/confirm";
import { type Column, DataTable } from "@/components/data-table";
import { Ago, State } from "@/components/facts";
import { FormEnd } from "@/components/form";
import { RowMenu } from "@/components/row-menu";
import { Empty } from "@/components/states";
import { useDraft } from "@/lib/drafts";
import { useSending } from "@/lib/forms";
import { useOrg } from "@/lib/org";
import { told } from "@/lib/toast";
import { shared } from "@/lib/words/shared";
import { useWords } from "@/lib/words/words";
import { useCreateSource } from "./api/create-source";
import { useDeleteSource } from "./api/delete-source";
import type { Collection } from "./api/list-collections";
import { type Source, useSources } from "./api/list-sources";
import { useSyncSource } from "./api/sync-source";
import { mayChangeAdded } from "./rights";
import { knowledge } from "./words";

const COLOUR = { queued: "blue", syncing: "blue", done: "green", failed: "red" } as const;

export function Sources({ of }: { of: Collection }) {
  const words = useWords(knowledge);
  const org = useOrg();
  const list = useSources(of.id);
  const [creating, setCreating] = useState(false);
  const button = org.can("knowledge.write", of.project_id) && !of.within && (
    <Button size="xs" leftSection={<IconPlus size={14} aria-hidden />} onClick={() => setCreating(true)}>
      {words.source.create}
    </Button>
  );
  return (
    <>
      {list.rows.length > 0 && (
        <Group justify="flex-end" mb="sm">
          {button}
        </Group>
      )}
      <DataTable
        label={words.source.list}
        list={list}
        columns={useColumns(of)}
        rowKey={(source) => source.id}
        empty={
          <Empty icon={IconWorldDown} title={words.source.emptyTitle} text={words.source.emptyText} action={button} />
        }
      />
      <Modal opened={creating} onClose={() => setCreating(false)} title={words.source.form.title}>
        <SourceForm collection={of.id} close={() => setCreating(false)} />
      </Modal>
    </>
  );
}

function useColumns(of: Collection): Column<Source>[] {
  const words = useWords(knowledge);
  const common = useWords(shared);
  const org = useOrg();
  return [
    {
      header: words.source.columns.name,
      cell: (source) => (
        <>
          <Text size="sm" fw={550}>
            <bdi>{source.name}</bdi>
          </Text>
          <Text size="xs" c={source.error ? "red" : "dimmed"} lineClamp={2} maw={460}>
            {source.error?.message ?? source.sitemap ?? source.urls?.join(", ")}
          </Text>
        </>
      ),
    },
    {
      header: words.source.columns.state,
      cell: ({ status, counts }) =>
        status === "done" && counts.refused > 0 ? (
          <State color="yellow">{words.source.partly}</State>
        ) : (
          <State color={COLOUR[status]}>{words.source.states[status]}</State>
        ),
    },
    {
      header: words.source.columns.counts,
      cell: ({ counts }) =>
        words.source.counts(
          String(counts.added),
          String(counts.changed),
          String(counts.removed),
          String(counts.refused),
        ),
    },
    { header: words.source.columns.last, cell: ({ synced_at }) => <Ago time={synced_at} /> },
    {
      header: common.actions,
      kind: "actions",
      cell: (source) => mayChangeAdded(org, of, source.created_by) && <Actions of={source} />,
    },
  ];
}

function Actions({ of }: { of: Source }) {
  const words = useWords(knowledge);
  const confirm = useConfirm();
  const sync = useSyncSource();
  const remove = useDeleteSource();
  const askAndRemove = async () => {
    const meant = await confirm({
      title: words.source.removeTitle(of.name),
      text: words.source.removeText,
      deed: words.source.remove,
    });
    if (meant) remove.mutate(of.id, { onSuccess: () => told(words.source.removed) });
  };
  return (
    <RowMenu of={of.name} busy={sync.isPending || remove.isPending}>
      <Menu.Item
        leftSection={<IconRefresh size={16} aria-hidden />}
        disabled={of.status === "syncing" || of.status === "queued"}
        onClick={() => sync.mutate(of.id, { onSuccess: () => told(words.source.synced) })}
      >
        {words.source.sync}
      </Menu.Item>
      <Menu.Item color="red" leftSection={<IconTrash size={16} aria-hidden />} onClick={() => void askAndRemove()}>
        {words.source.remove}
      </Menu.Item>
    </RowMenu>
  );
}

function SourceForm({ collection, close }: { collection: string; close: () => void }) {
  const words = useWords(knowledge);
  const common = useWords(shared);
  const create = useCreateSource(collection);
  const { form: say } = words.source;
  const form = useForm({
    initialValues: { kind: "urls" as "urls" | "sitemap", urls: "", sitemap: "", name: "" },
    validate: {
      urls: (value, { kind }) => (kind === "urls" && !value.trim() ? common.errors.required : null),
      sitemap: (value, { kind }) => (kind === "sitemap" && !value.trim() ? common.errors.required : null),
    },
  });
  const draft = useDraft(form, "source");
  const sending = useSending(
    form,
    ({ kind, urls, sitemap, name }) =>
      create.mutateAsync({
        ...(kind === "urls" ? { urls: urls.split(/\s+/).filter(Boolean) } : { sitemap: sitemap.trim() }),
        ...(name.trim() ? { name: name.trim() } : {}),
      }),
    draft.ending(close),
  );
  return (
    <form onSubmit={sending.submit} noValidate>
      <Stack>
        <SegmentedControl
          aria-label={say.kind}
          data={[
            { value: "urls", label: say.kinds.urls },
            { value: "sitemap", label: say.kinds.sitemap },
          ]}
          {...form.getInputProps("kind")}
        />
        {form.values.kind === "urls" ? (
          <Textarea
            label={say.urls}
            placeholder="https://"
            autosize
            minRows={4}
            maxRows={12}
            required
            {...form.getInputProps("urls")}
          />
        ) : (
          <TextInput
            type="url"
            label={say.sitemap}
            description={say.sitemapHint}
            placeholder="https://"
            required
            {...form.getInputProps("sitemap")}
          />
        )}
        <TextInput label={`${say.name} (${common.optional})`} maxLength={300} {...form.getInputProps("name")} />
        <FormEnd sending={sending} draft={draft} deed={words.source.create} onCancel={draft.ending(close)} />
      </Stack>
    </form>
  );
}
