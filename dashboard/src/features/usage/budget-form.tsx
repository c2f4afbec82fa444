import { Group, NumberInput, Radio, Select, Stack, TagsInput, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useState } from "react";
import { FormEnd } from "@/components/form";
import { Failure, Loading } from "@/components/states";
import type { Schemas } from "@/lib/api/client";
import type { Tagged } from "@/lib/api/tagged";
import { useDraft } from "@/lib/drafts";
import { useSending } from "@/lib/forms";
import { shared } from "@/lib/words/shared";
import { useWords } from "@/lib/words/words";
import { type Budget, useBudget, useBudgetDeeds } from "./api/budgets";
import { useNames } from "./api/names";
import { usage } from "./words";

const LEVELS = ["organization", "team", "project", "user", "key"] as const;
const PERIODS = ["month", "week", "day", "total"] as const;
const MICROS = 1e6;

/** Percentages as they were typed, as numbers; what is none is left out. */
function percents(typed: readonly string[]): number[] {
  return [...new Set(typed.map((text) => Number.parseInt(text, 10)).filter((percent) => percent > 0))].sort(
    (a, b) => a - b,
  );
}

export function CreateBudgetForm({ done, cancel }: { done: () => void; cancel: () => void }) {
  const words = useWords(usage);
  const common = useWords(shared);
  const { lists } = useNames();
  const { create } = useBudgetDeeds();
  const form = useForm({
    initialValues: {
      level: "organization" as (typeof LEVELS)[number],
      id: "",
      amount: "" as number | string,
      currency: "USD",
      period: "month" as (typeof PERIODS)[number],
      kind: "hard" as "hard" | "soft",
      alerts: ["50", "80", "100"],
    },
    validate: {
      id: (value, { level }) => (level !== "organization" && !value ? words.budget.chooseOne : null),
      amount: (value) => (Number(value) > 0 ? null : words.budget.positive),
      currency: (value) => (/^[A-Za-z]{3}$/.test(value.trim()) ? null : words.budget.currencyHint),
    },
  });
  const draft = useDraft(form, "create-budget");
  const sending = useSending(
    form,
    ({ level, id, amount, currency, period, kind, alerts }) =>
      create.mutateAsync({
        level,
        ...(level === "organization" ? {} : { id }),
        amount_micros: Math.round(Number(amount) * MICROS),
        currency: currency.trim().toUpperCase(),
        period,
        kind,
        alerts: percents(alerts),
      }),
    () => {
      draft.forget();
      done();
    },
    { params: { amount_micros: "amount" } },
  );
  const { level } = form.values;
  return (
    <form onSubmit={sending.submit} noValidate>
      <Stack>
        <Select
          label={words.budget.level}
          data={LEVELS.map((value) => ({ value, label: words.levels[value] }))}
          allowDeselect={false}
          data-autofocus
          {...form.getInputProps("level")}
          onChange={(value) => form.setValues({ level: (value ?? "organization") as (typeof LEVELS)[number], id: "" })}
        />
        {level !== "organization" && (
          <Select
            label={words.budget.subject}
            data={lists[level]}
            searchable
            required
            {...form.getInputProps("id")}
            value={form.values.id || null}
          />
        )}
        <Group align="flex-start" grow>
          <NumberInput
            label={words.budget.amount}
            min={0}
            decimalScale={2}
            thousandSeparator=" "
            required
            {...form.getInputProps("amount")}
          />
          <TextInput label={words.budget.currency} maxLength={3} {...form.getInputProps("currency")} />
        </Group>
        <Select
          label={words.budget.period}
          data={PERIODS.map((value) => ({ value, label: words.periods[value] }))}
          allowDeselect={false}
          {...form.getInputProps("period")}
        />
        <Kind {...form.getInputProps("kind")} />
        <Alerts {...form.getInputProps("alerts")} />
        <FormEnd sending={sending} draft={draft} deed={common.create} onCancel={draft.ending(cancel)} />
      </Stack>
    </form>
  );
}

export function EditBudget({ id, done }: { id: string; done: () => void }) {
  const budget = useBudget(id);
  if (budget.error) return <Failure error={budget.error} retry={() => void budget.refetch()} />;
  if (!budget.data) return <Loading />;
  return <EditBudgetForm of={budget.data} done={done} />;
}

function EditBudgetForm({ of, done }: { of: Tagged<Budget>; done: () => void }) {
  // As it was when the form was opened: what others changed since is not overwritten.
  const [{ thing, tag }] = useState(of);
  const words = useWords(usage);
  const common = useWords(shared);
  const { update } = useBudgetDeeds();
  const form = useForm({
    initialValues: {
      amount: (thing.amount_micros / MICROS) as number | string,
      kind: thing.kind,
      alerts: thing.alerts.map(String),
    },
    validate: { amount: (value) => (Number(value) > 0 ? null : words.budget.positive) },
  });
  const sending = useSending(
    form,
    ({ amount, kind, alerts }) => {
      const body: Schemas["UpdateBudget"] = {
        amount_micros: Math.round(Number(amount) * MICROS),
        kind,
        alerts: percents(alerts),
      };
      return update.mutateAsync({ id: thing.id, tag, body });
    },
    done,
    { params: { amount_micros: "amount" } },
  );
  return (
    <form onSubmit={sending.submit} noValidate>
      <Stack>
        <NumberInput
          label={words.budget.amount}
          suffix={` ${thing.currency}`}
          min={0}
          decimalScale={2}
          thousandSeparator=" "
          data-autofocus
          {...form.getInputProps("amount")}
        />
        <Kind {...form.getInputProps("kind")} />
        <Alerts {...form.getInputProps("alerts")} />
        <FormEnd sending={sending} deed={common.save} onCancel={done} />
      </Stack>
    </form>
  );
}

function Kind(input: { value?: string; onChange?: (value: string) => void }) {
  const words = useWords(usage);
  return (
    <Radio.Group label={words.kind} {...input}>
      <Stack gap="xs" mt={6}>
        <Radio value="hard" label={words.kinds.hard} />
        <Radio value="soft" label={words.kinds.soft} />
      </Stack>
    </Radio.Group>
  );
}

function Alerts(input: { value?: string[]; onChange?: (value: string[]) => void }) {
  const words = useWords(usage);
  return (
    <TagsInput
      label={words.budget.alerts}
      description={words.budget.alertsHint}
      data={["50", "80", "90", "100"]}
      {...input}
    />
  );
}
