import { Button, Menu, Modal, Text, Title } from "@mantine/core";
import { IconGauge, IconPencil, IconPlus, IconTrash, IconUsers } from "@tabler/icons-react";
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
import { type CallerUse, type RateLimit, useLimitActivity, useLimitDeeds, useLimits } from "../api/limits";
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
      <Callers />
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
  const uses = new Map(useLimitActivity().data?.limits.map((use) => [use.id, use]));
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
    {
      header: words.limit.letsThrough,
      cell: ({ requests_per_minute: requests, tokens_per_minute: tokens, concurrency }) =>
        Object.entries({ requests, tokens, concurrency }).map(
          ([counts, bound]) =>
            bound != null && (
              <Text key={counts} size="sm">
                {format.number(bound)} {words.limit.per[counts as keyof typeof words.limit.per]}
              </Text>
            ),
        ),
    },
    { header: words.limit.used, kind: "number", cell: ({ id }) => number(uses.get(id)?.used) },
    { header: words.limit.denied, kind: "number", cell: ({ id }) => number(uses.get(id)?.denied) },
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

/** Who called most, and who was turned away by what. */
function Callers() {
  const words = useWords(usage);
  const format = useFormat();
  const { name } = useNames();
  const { data, isPending, isFetching, error, refetch } = useLimitActivity();
  const callers = data?.callers ?? [];
  const reaches = words.limit.reaches;
  const reachOf = (reach: string) => {
    if (reach === "*") return reaches.all;
    if (reach === "key" || reach === "plan") return reaches[reach];
    return words.operations[reach as keyof typeof words.operations] ?? reach;
  };
  const columns: Column<CallerUse>[] = [
    {
      header: words.limit.caller,
      cell: ({ key_id, user_id }) => {
        const person = user_id ? name(user_id) : words.limit.itself;
        return (
          <>
            <Text size="sm" fw={550}>
              <bdi>{key_id ? name(key_id) : person}</bdi>
            </Text>
            {key_id && (
              <Text size="xs" c="dimmed">
                <bdi>{person}</bdi>
              </Text>
            )}
          </>
        );
      },
    },
    { header: words.limit.kind, cell: ({ operation }) => words.operations[operation] },
    { header: words.limit.letIn, kind: "number", cell: ({ calls }) => format.number(calls) },
    {
      header: words.limit.lately,
      kind: "number",
      cell: ({ calls_last_minute: calls }) => format.number(calls),
    },
    { header: words.limit.turnedAway, kind: "number", cell: ({ denied }) => format.number(denied) },
    {
      header: words.limit.by,
      cell: ({ denied_by: by }) =>
        by.length === 0
          ? "–"
          : by.map(({ level, reach, counts, times }) => (
              <Text key={`${level} ${reach} ${counts}`} size="xs">
                {words.levels[level as keyof typeof words.levels] ?? level}: {reachOf(reach)},{" "}
                {words.limit.per[counts as keyof typeof words.limit.per] ?? counts} ({format.number(times)})
              </Text>
            )),
    },
  ];
  return (
    <section aria-label={words.limit.most}>
      <Title order={2} mt="xl" mb={2}>
        {words.limit.most}
      </Title>
      <Text size="sm" c="dimmed" mb="md">
        {data && `${words.limit.total(format.number(data.calls), format.number(data.denied))}. `}
        {words.limit.mostIntro}
      </Text>
      <DataTable
        label={words.limit.most}
        list={{
          rows: callers,
          page: 1,
          isPending,
          isFetching: isFetching && isPending,
          error,
          retry: () => void refetch(),
          next: undefined,
          previous: undefined,
        }}
        columns={columns}
        rowKey={({ user_id, key_id, operation }) => `${user_id} ${key_id} ${operation}`}
        empty={<Empty icon={IconUsers} title={words.limit.nobody} text={words.limit.mostIntro} />}
      />
    </section>
  );
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
