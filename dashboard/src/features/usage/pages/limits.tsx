import { Button, Menu, Modal, Text } from "@mantine/core";
import { IconGauge, IconPencil, IconPlus, IconTrash } from "@tabler/icons-react";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { useConfirm } from "@/components/confirm";
import { type Column, DataTable } from "@/components/data-table";
import { Page } from "@/components/page";
import { RowMenu } from "@/components/row-menu";
import { Empty } from "@/components/states";
import { useFormat } from "@/lib/format";
import { useOrg } from "@/lib/org";
import { told } from "@/lib/toast";
import { shared } from "@/lib/words/shared";
import { useWords } from "@/lib/words/words";
import { type RateLimit, useLimitDeeds, useLimits } from "../api/limits";
import { useNames } from "../api/names";
import { CreateLimitForm, EditLimit } from "../limit-form";
import { UsageHelp, UsageParts } from "../parts";
import { usage } from "../words";

export function LimitsPage() {
  const words = useWords(usage);
  const org = useOrg();
  const list = useLimits();
  const { create } = useSearch({ from: "/o/$org/usage/limits" });
  const navigate = useNavigate({ from: "/o/$org/usage/limits" });
  const [editing, setEditing] = useState<string>();
  const creating = (open: boolean) =>
    void navigate({ search: (before) => ({ ...before, create: open || undefined }), replace: !open });
  const button = org.can("limits.write") && (
    <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => creating(true)}>
      {words.limit.create}
    </Button>
  );
  return (
    <Page title={words.title} intro={words.intro} help={<UsageHelp />} actions={button}>
      <UsageParts />
      <DataTable
        label={words.limit.list}
        list={list}
        columns={useColumns(setEditing)}
        rowKey={(limit) => limit.id}
        empty={<Empty icon={IconGauge} title={words.limit.emptyTitle} text={words.limit.emptyText} action={button} />}
      />
      <Text size="xs" c="dimmed" mt="sm">
        {words.limit.denied}
      </Text>
      <Modal opened={create === true} onClose={() => creating(false)} title={words.limit.createTitle}>
        <CreateLimitForm done={() => creating(false)} cancel={() => creating(false)} />
      </Modal>
      <Modal opened={editing !== undefined} onClose={() => setEditing(undefined)} title={words.limit.editTitle}>
        {editing && <EditLimit id={editing} done={() => setEditing(undefined)} />}
      </Modal>
    </Page>
  );
}

function useColumns(edit: (id: string) => void): Column<RateLimit>[] {
  const words = useWords(usage);
  const common = useWords(shared);
  const format = useFormat();
  const org = useOrg();
  const { name } = useNames();
  const subject = ({ level, subject_id }: RateLimit) =>
    subject_id
      ? `${words.levels[level]}: ${name(subject_id)}`
      : level === "organization"
        ? words.whole
        : words.each(words.levels[level]);
  const number = (value: number | null | undefined) => (value == null ? "–" : format.number(value));
  const columns: Column<RateLimit>[] = [
    {
      header: words.limit.for,
      cell: (limit) => (
        <Text size="sm" fw={550}>
          <bdi>{subject(limit)}</bdi>
        </Text>
      ),
    },
    {
      header: words.limit.counts,
      cell: ({ operation }) => (operation ? words.operations[operation] : words.limit.allCost),
    },
    { header: words.limit.rpm, kind: "number", cell: (limit) => number(limit.requests_per_minute) },
    { header: words.limit.tpm, kind: "number", cell: (limit) => number(limit.tokens_per_minute) },
    { header: words.limit.concurrency, kind: "number", cell: (limit) => number(limit.concurrency) },
  ];
  if (org.can("limits.write")) {
    columns.push({
      header: common.actions,
      kind: "actions",
      cell: (limit) => <Actions of={limit} subject={subject(limit)} edit={edit} />,
    });
  }
  return columns;
}

function Actions({ of, subject, edit }: { of: RateLimit; subject: string; edit: (id: string) => void }) {
  const words = useWords(usage);
  const common = useWords(shared);
  const confirm = useConfirm();
  const { remove } = useLimitDeeds();
  const askAndDelete = async () => {
    const meant = await confirm({
      title: words.limit.deleteTitle,
      text: words.limit.deleteText(subject),
      deed: common.delete,
    });
    if (meant) remove.mutate(of.id, { onSuccess: () => told(words.limit.deleted) });
  };
  return (
    <RowMenu of={subject} busy={remove.isPending}>
      <Menu.Item leftSection={<IconPencil size={16} aria-hidden />} onClick={() => edit(of.id)}>
        {common.edit}
      </Menu.Item>
      <Menu.Item color="red" leftSection={<IconTrash size={16} aria-hidden />} onClick={() => void askAndDelete()}>
        {common.delete}
      </Menu.Item>
    </RowMenu>
  );
}
