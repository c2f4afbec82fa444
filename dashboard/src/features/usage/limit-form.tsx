import { NumberInput, Select, Stack } from "@mantine/core";
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
import { type RateLimit, useLimit, useLimitDeeds } from "./api/limits";
import { useNames } from "./api/names";
import { usage } from "./words";

const LEVELS = ["organization", "project", "user", "key"] as const;
const OPERATIONS = ["chat", "embeddings", "search", "documents", "mails", "exports", "api"] as const;
const EACH = "each";
const ALL = "all";

interface Bounds extends Record<string, unknown> {
  requests_per_minute: number | string;
  tokens_per_minute: number | string;
  concurrency: number | string;
}

/** What the fields mean to the API: an empty one bounds nothing. */
function bounds(values: Bounds) {
  const number = (typed: number | string) => (typed === "" ? null : Number(typed));
  return {
    requests_per_minute: number(values.requests_per_minute),
    tokens_per_minute: number(values.tokens_per_minute),
    concurrency: number(values.concurrency),
  };
}

function isUnbound(values: Bounds): boolean {
  return Object.values(bounds(values)).every((bound) => bound === null);
}

export function CreateLimitForm({ done, cancel }: { done: () => void; cancel: () => void }) {
  const words = useWords(usage);
  const common = useWords(shared);
  const { lists } = useNames();
  const { create } = useLimitDeeds();
  const form = useForm({
    initialValues: {
      level: "user" as (typeof LEVELS)[number],
      id: EACH,
      operation: ALL,
      requests_per_minute: "" as number | string,
      tokens_per_minute: "" as number | string,
      concurrency: "" as number | string,
    },
    validate: { requests_per_minute: (_, values) => (isUnbound(values) ? words.limit.atLeastOne : null) },
  });
  const draft = useDraft(form, "create-limit");
  const sending = useSending(
    form,
    (values) =>
      create.mutateAsync({
        level: values.level,
        ...(values.level === "organization" || values.id === EACH ? {} : { id: values.id }),
        ...(values.operation === ALL ? {} : { operation: values.operation as Schemas["Operation"] }),
        ...bounds(values),
      }),
    draft.ending(done),
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
          onChange={(value) => form.setValues({ level: (value ?? "user") as (typeof LEVELS)[number], id: EACH })}
        />
        {level !== "organization" && (
          <Select
            label={words.budget.subject}
            data={[{ value: EACH, label: words.limit.eachOne }, ...lists[level]]}
            searchable
            allowDeselect={false}
            {...form.getInputProps("id")}
          />
        )}
        <Select
          label={words.limit.counts}
          data={[
            { value: ALL, label: words.limit.allCost },
            ...OPERATIONS.map((value) => ({ value, label: words.operations[value] })),
          ]}
          allowDeselect={false}
          {...form.getInputProps("operation")}
        />
        <BoundFields form={form} />
        <FormEnd sending={sending} draft={draft} deed={common.create} onCancel={draft.ending(cancel)} />
      </Stack>
    </form>
  );
}

export function EditLimit({ id, done }: { id: string; done: () => void }) {
  const limit = useLimit(id);
  if (limit.error) return <Failure error={limit.error} retry={() => void limit.refetch()} />;
  if (!limit.data) return <Loading />;
  return <EditLimitForm of={limit.data} done={done} />;
}

function EditLimitForm({ of, done }: { of: Tagged<RateLimit>; done: () => void }) {
  // As it was when the form was opened: what others changed since is not overwritten.
  const [{ thing, tag }] = useState(of);
  const words = useWords(usage);
  const common = useWords(shared);
  const { update } = useLimitDeeds();
  const form = useForm({
    initialValues: {
      requests_per_minute: (thing.requests_per_minute ?? "") as number | string,
      tokens_per_minute: (thing.tokens_per_minute ?? "") as number | string,
      concurrency: (thing.concurrency ?? "") as number | string,
    },
    validate: { requests_per_minute: (_, values) => (isUnbound(values) ? words.limit.atLeastOne : null) },
  });
  const sending = useSending(form, (values) => update.mutateAsync({ id: thing.id, tag, body: bounds(values) }), done);
  return (
    <form onSubmit={sending.submit} noValidate>
      <Stack>
        <BoundFields form={form} />
        <FormEnd sending={sending} deed={common.save} onCancel={done} />
      </Stack>
    </form>
  );
}

function BoundFields({ form }: { form: { getInputProps: (field: keyof Bounds & string) => object } }) {
  const words = useWords(usage);
  const number = { min: 1, allowDecimal: false, thousandSeparator: " " };
  return (
    <>
      <NumberInput label={words.limit.rpm} {...number} {...form.getInputProps("requests_per_minute")} />
      <NumberInput label={words.limit.tpm} {...number} {...form.getInputProps("tokens_per_minute")} />
      <NumberInput label={words.limit.concurrency} {...number} {...form.getInputProps("concurrency")} />
    </>
  );
}
