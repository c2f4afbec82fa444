import { Collapse, Fieldset, MultiSelect, NumberInput, Radio, Select, Stack, TextInput } from "@mantine/core";
import { schemaResolver, useForm } from "@mantine/form";
import { FormEnd } from "@/components/form";
import type { Permission } from "@/lib/api/client";
import { useDraft } from "@/lib/drafts";
import { useSending } from "@/lib/forms";
import { useOrg } from "@/lib/org";
import { useProjectFor } from "@/lib/project";
import { z } from "@/lib/schema";
import { shared } from "@/lib/words/shared";
import { useWords } from "@/lib/words/words";
import { type KeyWishes, type NewKey, useCreateKey } from "./api/create-key";
import { usePermissions } from "./api/list-permissions";
import { useProjects } from "./api/list-projects";
import { keys } from "./words";

const DAY = 86_400_000;
const WHOLE = "whole";
/** A key's name, as the API bounds it. */
const NAME = 80;

const initialValues = {
  name: "",
  days: "90",
  project_id: WHOLE,
  may: "all" as "all" | "some",
  scopes: [] as string[],
  rate_per_minute: "" as number | string,
  calls_per_day: "" as number | string,
  budget: "" as number | string,
};

export function CreateKeyForm({ done, cancel }: { done: (key: NewKey) => void; cancel: () => void }) {
  const words = useWords(keys);
  const common = useWords(shared);
  const org = useOrg();
  const project = useProjectFor("keys.create");
  const projects = useProjects();
  const create = useCreateKey();
  const form = useForm({
    initialValues: { ...initialValues, project_id: project ?? WHOLE },
    validate: schemaResolver(
      z
        .object({
          name: z
            .string()
            .check(z.trim(), z.minLength(1, common.errors.required), z.maxLength(NAME, common.errors.tooLong(NAME))),
          may: z.enum(["all", "some"]),
          scopes: z.array(z.string()),
        })
        .check(
          z.refine(({ may, scopes }) => may === "all" || scopes.length > 0, {
            path: ["scopes"],
            error: words.form.chooseSome,
          }),
        ),
      { sync: true },
    ),
  });
  const permissions = usePermissions(form.values.may === "some");
  const draft = useDraft(form, `create-key-in-${project ?? WHOLE}`);
  const sending = useSending(
    form,
    (values) => create.mutateAsync(wishes(values)),
    (made) => {
      draft.forget();
      done(made);
    },
    { params: { expires_at: "days", budget_micros: "budget" } },
  );
  return (
    <form onSubmit={sending.submit} noValidate>
      <Stack>
        <TextInput
          label={words.form.name}
          description={words.form.nameHint}
          data-autofocus
          required
          {...form.getInputProps("name")}
        />
        <Select
          label={words.form.project}
          data={[
            ...(org.can("keys.create") ? [{ value: WHOLE, label: words.wholeOrg }] : []),
            ...(projects.data?.data ?? [])
              .filter(({ id }) => org.can("keys.create", id))
              .map(({ id, name }) => ({ value: id, label: name })),
          ]}
          allowDeselect={false}
          {...form.getInputProps("project_id")}
        />
        <Select
          label={words.form.days}
          data={[7, 30, 90, 365].map((days) => ({ value: String(days), label: words.form.daysOf(days) }))}
          allowDeselect={false}
          {...form.getInputProps("days")}
        />
        <Radio.Group label={words.form.may} {...form.getInputProps("may")}>
          <Stack gap="xs" mt={6}>
            <Radio value="all" label={words.form.all} />
            <Radio value="some" label={words.form.some} />
          </Stack>
        </Radio.Group>
        <Collapse expanded={form.values.may === "some"}>
          <MultiSelect
            label={words.form.scopes}
            data={(permissions.data?.data ?? [])
              .filter(({ name }) => org.can(name, form.values.project_id))
              .map(({ name, description }) => ({ value: name, label: description }))}
            searchable
            {...form.getInputProps("scopes")}
          />
        </Collapse>
        <Fieldset legend={`${words.form.limits} (${common.optional})`}>
          <Stack gap="sm">
            <NumberInput
              label={words.form.rate}
              min={1}
              allowDecimal={false}
              {...form.getInputProps("rate_per_minute")}
            />
            <NumberInput
              label={words.form.perDay}
              min={1}
              allowDecimal={false}
              {...form.getInputProps("calls_per_day")}
            />
            <NumberInput
              label={words.form.budget}
              min={0}
              decimalScale={2}
              suffix={` ${words.form.currency}`}
              {...form.getInputProps("budget")}
            />
          </Stack>
        </Fieldset>
        <FormEnd
          sending={sending}
          draft={draft}
          deed={words.create}
          onCancel={() => {
            draft.forget();
            cancel();
          }}
        />
      </Stack>
    </form>
  );
}

/** What the form means to the API. */
function wishes(values: typeof initialValues): KeyWishes {
  return {
    name: values.name.trim(),
    expires_at: new Date(Date.now() + Number(values.days) * DAY).toISOString(),
    ...(values.project_id === WHOLE ? {} : { project_id: values.project_id }),
    ...(values.may === "some" ? { scopes: values.scopes as Permission[] } : {}),
    ...(values.rate_per_minute === "" ? {} : { rate_per_minute: Number(values.rate_per_minute) }),
    ...(values.calls_per_day === "" ? {} : { calls_per_day: Number(values.calls_per_day) }),
    ...(values.budget === "" ? {} : { budget_micros: Math.round(Number(values.budget) * 1e6), currency: "USD" }),
  };
}
