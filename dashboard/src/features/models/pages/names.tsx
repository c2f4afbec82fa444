import { Button, Menu, Modal, Text } from "@mantine/core";
import { IconPencil, IconPlus, IconTag, IconTrash } from "@tabler/icons-react";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { useConfirm } from "@/components/confirm";
import { type Column, DataTable } from "@/components/data-table";
import { Ago } from "@/components/facts";
import { Page } from "@/components/page";
import { RowMenu } from "@/components/row-menu";
import { Empty } from "@/components/states";
import { useOrg } from "@/lib/org";
import { useProject } from "@/lib/project";
import { told } from "@/lib/toast";
import { shared } from "@/lib/words/shared";
import { useWords } from "@/lib/words/words";
import { AliasForm, EditAlias } from "../alias-form";
import { type Alias, useAliasDeeds, useAliases } from "../api/aliases";
import { ModelHelp, ModelParts } from "../parts";
import { models } from "../words";

export function ModelNamesPage() {
  const words = useWords(models);
  const org = useOrg();
  const list = useAliases();
  const { create } = useSearch({ from: "/o/$org/models/names" });
  const navigate = useNavigate({ from: "/o/$org/models/names" });
  const [editing, setEditing] = useState<Alias>();
  const creating = (open: boolean) =>
    void navigate({ search: (before) => ({ ...before, create: open || undefined }), replace: !open });
  const button = org.can("providers.write", useProject()) && (
    <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => creating(true)}>
      {words.alias.create}
    </Button>
  );
  return (
    <Page title={words.title} intro={words.intro} help={<ModelHelp />} actions={button}>
      <ModelParts />
      <DataTable
        label={words.alias.list}
        list={list}
        columns={useColumns(setEditing)}
        rowKey={(alias) => `${alias.alias} ${alias.project_id ?? ""}`}
        empty={<Empty icon={IconTag} title={words.alias.emptyTitle} text={words.alias.emptyText} action={button} />}
      />
      <Modal opened={create === true} onClose={() => creating(false)} title={words.alias.createTitle} size="lg">
        <AliasForm done={() => creating(false)} />
      </Modal>
      <Modal
        opened={editing !== undefined}
        onClose={() => setEditing(undefined)}
        title={editing && words.alias.editTitle(editing.alias)}
        size="lg"
      >
        {editing && <EditAlias of={editing} done={() => setEditing(undefined)} />}
      </Modal>
    </Page>
  );
}

function useColumns(edit: (alias: Alias) => void): Column<Alias>[] {
  const words = useWords(models);
  const common = useWords(shared);
  const org = useOrg();
  const columns: Column<Alias>[] = [
    {
      header: words.alias.name,
      cell: (alias) => (
        <>
          <Text size="sm" fw={550}>
            {alias.alias}
          </Text>
          {alias.project_id && (
            <Text size="xs" c="dimmed">
              {words.sources.project}
            </Text>
          )}
        </>
      ),
    },
    {
      header: words.alias.targets,
      cell: ({ targets }) => targets.map(({ model }) => model).join(" → "),
    },
    { header: common.created, cell: (alias) => <Ago time={alias.updated_at ?? alias.created_at} /> },
  ];
  if (org.canSomewhere("providers.write")) {
    columns.push({
      header: common.actions,
      kind: "actions",
      cell: (alias) => org.can("providers.write", alias.project_id) && <Actions of={alias} edit={edit} />,
    });
  }
  return columns;
}

function Actions({ of, edit }: { of: Alias; edit: (alias: Alias) => void }) {
  const words = useWords(models);
  const common = useWords(shared);
  const confirm = useConfirm();
  const { remove } = useAliasDeeds();
  const askAndDelete = async () => {
    const meant = await confirm({
      title: words.alias.deleteTitle(of.alias),
      text: words.alias.deleteText,
      deed: words.alias.delete,
    });
    if (meant) remove.mutate(of, { onSuccess: () => told(words.alias.deleted(of.alias)) });
  };
  return (
    <RowMenu of={of.alias} busy={remove.isPending}>
      <Menu.Item leftSection={<IconPencil size={16} aria-hidden />} onClick={() => edit(of)}>
        {common.edit}
      </Menu.Item>
      {of.made_by && (
        <Menu.Item color="red" leftSection={<IconTrash size={16} aria-hidden />} onClick={() => void askAndDelete()}>
          {words.alias.delete}
        </Menu.Item>
      )}
    </RowMenu>
  );
}
