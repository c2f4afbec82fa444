import { NumberInput, Stack, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useState } from "react";
import { FormEnd } from "@/components/form";
import { Failure, Loading } from "@/components/states";
import type { Tagged } from "@/lib/api/tagged";
import { useDraft } from "@/lib/drafts";
import { useSending } from "@/lib/forms";
import { shared } from "@/lib/words/shared";
import { useWords } from "@/lib/words/words";
import { type Budget, useBudget, useBudgetDeeds } from "./api/budgets";
import { usage } from "./words";

const MICROS = 1e6;
const DAY = 86_400_000;

/** Grants more of a budget until some day. */
export function IncreaseBudget({ id, done }: { id: string; done: () => void }) {
  const budget = useBudget(id);
  if (budget.error) return <Failure error={budget.error} retry={() => void budget.refetch()} />;
  if (!budget.data) return <Loading />;
  return <IncreaseForm of={budget.data} done={done} />;
}

function IncreaseForm({ of, done }: { of: Tagged<Budget>; done: () => void }) {
  // As it was when the form was opened: what others granted since is not replaced.
  const [{ thing, tag }] = useState(of);
  const words = useWords(usage);
  const common = useWords(shared);
  const { increase } = useBudgetDeeds();
  const form = useForm({
    initialValues: {
      amount: "" as number | string,
      until: new Date(Date.now() + 7 * DAY).toISOString().slice(0, 10),
      reason: "",
    },
    validate: {
      amount: (value) => (Number(value) > 0 ? null : words.budget.positive),
      until: (value) => (value && endOf(value) > Date.now() ? null : words.budget.future),
      reason: (value) => (value.trim() ? null : common.errors.required),
    },
  });
  const draft = useDraft(form, `increase-${thing.id}`);
  const sending = useSending(
    form,
    ({ amount, until, reason }) =>
      increase.mutateAsync({
        id: thing.id,
        tag,
        body: {
          amount_micros: Math.round(Number(amount) * MICROS),
          until: new Date(endOf(until)).toISOString(),
          reason: reason.trim(),
        },
      }),
    draft.ending(done),
    { params: { amount_micros: "amount" } },
  );
  return (
    <form onSubmit={sending.submit} noValidate>
      <Stack>
        <Text size="sm">{words.budget.increaseText}</Text>
        <NumberInput
          label={words.budget.more}
          suffix={` ${thing.currency}`}
          min={0}
          decimalScale={2}
          thousandSeparator=" "
          data-autofocus
          required
          {...form.getInputProps("amount")}
        />
        <TextInput type="date" label={words.budget.untilWhen} required {...form.getInputProps("until")} />
        <TextInput
          label={words.budget.reason}
          description={words.budget.reasonHint}
          required
          {...form.getInputProps("reason")}
        />
        <FormEnd sending={sending} draft={draft} deed={words.budget.increase} onCancel={draft.ending(done)} />
      </Stack>
    </form>
  );
}

/** The end of a day where the reader is. */
function endOf(day: string): number {
  return new Date(`${day}T23:59:59`).getTime();
}
