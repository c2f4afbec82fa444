import { Button, Menu, Modal, Text } from "@mantine/core";
import { IconPencil, IconPigMoney, IconPlus, IconTrash, IconTrendingUp } from "@tabler/icons-react";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { useConfirm } from "@/components/confirm";
import { type Column, DataTable } from "@/components/data-table";
import { Gauge } from "@/components/gauge";
import { Page } from "@/components/page";
import { RowMenu } from "@/components/row-menu";
import { Empty } from "@/components/states";
import { useFormat } from "@/lib/format";
import { useOrg } from "@/lib/org";
import { told } from "@/lib/toast";
import { shared } from "@/lib/words/shared";
import { useWords } from "@/lib/words/words";
import { type Budget, useBudgetDeeds, useBudgets } from "../api/budgets";
import { useNames } from "../api/names";
import { CreateBudgetForm, EditBudget } from "../budget-form";
import { IncreaseBudget } from "../increase-form";
import { UsageHelp, UsageParts } from "../parts";
import { usage } from "../words";

type Editing = { id: string; what: "edit" | "increase" };

export function BudgetsPage() {
  const words = useWords(usage);
  const org = useOrg();
  const list = useBudgets();
  const { create } = useSearch({ from: "/o/$org/usage/budgets" });
  const navigate = useNavigate({ from: "/o/$org/usage/budgets" });
  const [editing, setEditing] = useState<Editing>();
  const creating = (open: boolean) =>
    void navigate({ search: (before) => ({ ...before, create: open || undefined }), replace: !open });
  const button = org.can("budgets.write") && (
    <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => creating(true)}>
      {words.budget.create}
    </Button>
  );
  const end = () => setEditing(undefined);
  return (
    <Page title={words.title} intro={words.intro} help={<UsageHelp />} actions={button}>
      <UsageParts />
      <DataTable
        label={words.budget.list}
        list={list}
        columns={useColumns(setEditing)}
        rowKey={(budget) => budget.id}
        empty={
          <Empty icon={IconPigMoney} title={words.budget.emptyTitle} text={words.budget.emptyText} action={button} />
        }
      />
      <Modal opened={create === true} onClose={() => creating(false)} title={words.budget.createTitle} size="lg">
        <CreateBudgetForm done={() => creating(false)} cancel={() => creating(false)} />
      </Modal>
      <Modal opened={editing?.what === "edit"} onClose={end} title={words.budget.editTitle} size="lg">
        {editing?.what === "edit" && <EditBudget id={editing.id} done={end} />}
      </Modal>
      <Modal opened={editing?.what === "increase"} onClose={end} title={words.budget.increaseTitle}>
        {editing?.what === "increase" && <IncreaseBudget id={editing.id} done={end} />}
      </Modal>
    </Page>
  );
}

/** Whom a budget is for, in words. */
function useSubject(): (budget: Budget) => string {
  const words = useWords(usage);
  const { name } = useNames();
  return ({ level, subject_id }) =>
    subject_id
      ? `${words.levels[level]}: ${name(subject_id)}`
      : level === "organization"
        ? words.whole
        : words.levels[level];
}

function useColumns(edit: (editing: Editing) => void): Column<Budget>[] {
  const words = useWords(usage);
  const common = useWords(shared);
  const format = useFormat();
  const org = useOrg();
  const subject = useSubject();
  const columns: Column<Budget>[] = [
    {
      header: words.budget.for,
      cell: (budget) => (
        <>
          <Text size="sm" fw={550}>
            <bdi>{subject(budget)}</bdi>
          </Text>
          <Text size="xs" c="dimmed">
            {words.kinds[budget.kind]}
          </Text>
        </>
      ),
    },
    { header: words.budget.period, cell: (budget) => words.periods[budget.period] },
    { header: words.budget.used, cell: (budget) => <Used budget={budget} /> },
    {
      header: words.budget.alerts,
      cell: ({ alerts }) =>
        alerts.length === 0 ? common.none : alerts.map((alert) => format.percent(alert / 100)).join(", "),
    },
  ];
  if (org.can("budgets.write")) {
    columns.push({
      header: common.actions,
      kind: "actions",
      cell: (budget) => <Actions of={budget} subject={subject(budget)} edit={edit} />,
    });
  }
  return columns;
}

function Used({ budget }: { budget: Budget }) {
  const words = useWords(usage);
  const format = useFormat();
  const { used_micros: used, limit_micros: limit, held_micros: held, increase, exhausted_at: out } = budget;
  const money = (micros: number) => format.money(micros, budget.currency);
  if (used == null) return <Text size="sm">{words.budget.unknown}</Text>;
  const share = limit === 0 ? 1 : (used + (held ?? 0)) / limit;
  const notes = [
    ...(held ? [words.budget.held(money(held))] : []),
    ...(increase ? [words.budget.increased(money(increase.amount_micros), format.date(increase.until))] : []),
    ...(out && share >= 0.5 ? [words.budget.runsOut(format.ago(out))] : []),
    ...(budget.resets_at ? [words.budget.resets(format.date(budget.resets_at))] : []),
  ];
  return (
    <div style={{ flex: 1, minWidth: 160 }}>
      <Text size="sm" style={{ fontVariantNumeric: "tabular-nums" }}>
        {words.budget.of(money(used), money(limit))}
      </Text>
      <Gauge my={4} size="sm" share={share} label={`${words.budget.used}: ${format.percent(share)}`} />
      <Text size="xs" c="dimmed">
        {notes.join(" · ")}
      </Text>
    </div>
  );
}

function Actions({ of, subject, edit }: { of: Budget; subject: string; edit: (editing: Editing) => void }) {
  const words = useWords(usage);
  const common = useWords(shared);
  const confirm = useConfirm();
  const { remove, endIncrease } = useBudgetDeeds();
  const askAndDelete = async () => {
    const meant = await confirm({
      title: words.budget.deleteTitle,
      text: words.budget.deleteText(subject),
      deed: words.budget.delete,
    });
    if (meant) remove.mutate(of.id, { onSuccess: () => told(words.budget.deleted) });
  };
  return (
    <RowMenu of={subject} busy={remove.isPending}>
      <Menu.Item leftSection={<IconPencil size={16} aria-hidden />} onClick={() => edit({ id: of.id, what: "edit" })}>
        {common.edit}
      </Menu.Item>
      <Menu.Item
        leftSection={<IconTrendingUp size={16} aria-hidden />}
        onClick={() => edit({ id: of.id, what: "increase" })}
      >
        {words.budget.increase}
      </Menu.Item>
      {of.increase && <Menu.Item onClick={() => endIncrease.mutate(of.id)}>{words.budget.end}</Menu.Item>}
      <Menu.Item color="red" leftSection={<IconTrash size={16} aria-hidden />} onClick={() => void askAndDelete()}>
        {words.budget.delete}
      </Menu.Item>
    </RowMenu>
  );
}
