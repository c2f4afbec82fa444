import { Alert, Button, Group, Menu, Modal, Text } from "@mantine/core";
import { IconPencil, IconPlugConnected, IconPlus, IconServer, IconTrash } from "@tabler/icons-react";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { useConfirm } from "@/components/confirm";
import { type Column, DataTable } from "@/components/data-table";
import { Ago } from "@/components/facts";
import { Page } from "@/components/page";
import { RowMenu } from "@/components/row-menu";
import { Empty } from "@/components/states";
import { useFormat } from "@/lib/format";
import { useOrg } from "@/lib/org";
import { useProject } from "@/lib/project";
import { told } from "@/lib/toast";
import { shared } from "@/lib/words/shared";
import { useWords } from "@/lib/words/words";
import { type Provider, type Trial, useProviderDeeds, useProviders } from "../api/providers";
import { ModelHelp, ModelParts } from "../parts";
import { CreateProviderForm, EditProvider } from "../provider-form";
import { models } from "../words";

export function ProvidersPage() {
  const words = useWords(models);
  const common = useWords(shared);
  const format = useFormat();
  const org = useOrg();
  const list = useProviders();
  const { create } = useSearch({ from: "/o/$org/models/providers" });
  const navigate = useNavigate({ from: "/o/$org/models/providers" });
  const [editing, setEditing] = useState<Provider>();
  const [tried, setTried] = useState<{ name: string; trial: Trial }>();
  const creating = (open: boolean) =>
    void navigate({ search: (before) => ({ ...before, create: open || undefined }), replace: !open });
  const button = (org.can("providers.write", useProject()) || org.can("providers.own")) && (
    <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => creating(true)}>
      {words.provider.create}
    </Button>
  );
  return (
    <Page title={words.title} intro={words.intro} help={<ModelHelp />} actions={button}>
      <ModelParts />
      {tried && (
        <Alert
          mb="md"
          variant="light"
          color={tried.trial.ok ? "green" : "red"}
          title={tried.trial.ok ? words.provider.works(tried.name) : words.provider.fails(tried.name)}
          withCloseButton
          closeButtonLabel={common.close}
          onClose={() => setTried(undefined)}
        >
          <Text size="sm">{tried.trial.message}</Text>
          {tried.trial.models.length > 0 && (
            <Text size="sm">{words.provider.found(format.number(tried.trial.models.length))}</Text>
          )}
          {tried.trial.missing.length > 0 && (
            <Text size="sm">{words.provider.missing(tried.trial.missing.join(", "))}</Text>
          )}
        </Alert>
      )}
      <DataTable
        label={words.provider.list}
        list={list}
        columns={useColumns(setEditing, (name, trial) => setTried({ name, trial }))}
        rowKey={(provider) => provider.id}
        empty={
          <Empty icon={IconServer} title={words.provider.emptyTitle} text={words.provider.emptyText} action={button} />
        }
      />
      <Modal opened={create === true} onClose={() => creating(false)} title={words.provider.createTitle} size="lg">
        <CreateProviderForm done={() => creating(false)} cancel={() => creating(false)} />
      </Modal>
      <Modal
        opened={editing !== undefined}
        onClose={() => setEditing(undefined)}
        title={editing && words.provider.editTitle(editing.name)}
        size="lg"
      >
        {editing && <EditProvider id={editing.id} done={() => setEditing(undefined)} />}
      </Modal>
    </Page>
  );
}

function useColumns(
  edit: (provider: Provider) => void,
  tell: (name: string, trial: Trial) => void,
): Column<Provider>[] {
  const words = useWords(models);
  const common = useWords(shared);
  const format = useFormat();
  const org = useOrg();
  return [
    {
      header: words.provider.name,
      cell: (provider) => (
        <>
          <Text size="sm" fw={550}>
            <bdi>{provider.name}</bdi>
          </Text>
          <Text size="xs" c="dimmed" style={{ overflowWrap: "anywhere" }}>
            {provider.base_url}
          </Text>
        </>
      ),
    },
    { header: words.provider.kind, cell: ({ kind }) => words.provider.kinds[kind] },
    {
      header: words.provider.key,
      cell: ({ key_last4 }) => (key_last4 ? words.provider.keyEnds(key_last4) : "–"),
    },
    {
      header: words.provider.for,
      cell: ({ user_id, project_id }) =>
        user_id === org.person.id
          ? words.provider.forMe
          : user_id
            ? words.provider.forOne
            : project_id
              ? words.sources.project
              : words.provider.forAll,
    },
    { header: words.provider.used, cell: (provider) => <Ago time={provider.last_used_at} /> },
    {
      header: words.provider.ends,
      cell: ({ expires_at }) => (expires_at ? format.date(expires_at) : common.never),
    },
    {
      header: common.actions,
      kind: "actions",
      cell: (provider) => <Actions of={provider} edit={edit} tell={tell} />,
    },
  ];
}

function Actions({
  of,
  edit,
  tell,
}: {
  of: Provider;
  edit: (provider: Provider) => void;
  tell: (name: string, trial: Trial) => void;
}) {
  const words = useWords(models);
  const common = useWords(shared);
  const org = useOrg();
  const confirm = useConfirm();
  const { remove, test } = useProviderDeeds();
  const isMine = of.user_id === org.person.id;
  if (!org.can("providers.write", of.project_id) && !(isMine && org.can("providers.own"))) return null;
  const askAndDelete = async () => {
    const meant = await confirm({
      title: words.provider.deleteTitle(of.name),
      text: words.provider.deleteText,
      deed: words.provider.delete,
    });
    if (meant) remove.mutate(of.id, { onSuccess: () => told(words.provider.deleted(of.name)) });
  };
  return (
    <Group gap={4} wrap="nowrap" justify="flex-end">
      <Button
        size="compact-xs"
        variant="default"
        loading={test.isPending}
        leftSection={<IconPlugConnected size={14} aria-hidden />}
        aria-label={`${words.provider.test}: ${of.name}`}
        onClick={() => test.mutate(of.id, { onSuccess: (trial) => tell(of.name, trial) })}
      >
        {words.provider.test}
      </Button>
      <RowMenu of={of.name} busy={remove.isPending}>
        <Menu.Item leftSection={<IconPencil size={16} aria-hidden />} onClick={() => edit(of)}>
          {common.edit}
        </Menu.Item>
        <Menu.Item color="red" leftSection={<IconTrash size={16} aria-hidden />} onClick={() => void askAndDelete()}>
          {words.provider.delete}
        </Menu.Item>
      </RowMenu>
    </Group>
  );
}
