import { NumberInput, Radio, Select, Stack, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { FormEnd } from "@/components/form";
import type { Schemas } from "@/lib/api/client";
import { useDraft } from "@/lib/drafts";
import { useSending } from "@/lib/forms";
import { shared } from "@/lib/words/shared";
import { useWords } from "@/lib/words/words";
import { useOrgDeeds } from "./api/orgs";
import { operator } from "./words";

/** Makes an exception from a plan: another limit, or a feature given or taken away. */
export function OverrideForm({ id, done }: { id: string; done: () => void }) {
  const words = useWords(operator);
  const common = useWords(shared);
  const { addOverride } = useOrgDeeds(id);
  const form = useForm({
    initialValues: {
      what: "limit:seats",
      limit: "" as number | string,
      granted: "yes",
      reason: "",
      until: "",
    },
    validate: {
      limit: (value, { what }) => (what.startsWith("limit:") && value === "" ? common.errors.required : null),
      reason: (value) => (value.trim() ? null : common.errors.required),
    },
  });
  const isLimit = form.values.what.startsWith("limit:");
  const draft = useDraft(form, "override");
  const sending = useSending(
    form,
    ({ what, limit, granted, reason, until }) => {
      const [kind, of] = what.split(":");
      const exception: Schemas["Exception"] =
        kind === "limit"
          ? { kind: "limit", meter: of as Schemas["Meter"], limit: Number(limit) }
          : { kind: "feature", feature: of as Schemas["Feature"], granted: granted === "yes" };
      return addOverride.mutateAsync({
        exception,
        reason: reason.trim(),
        ...(until ? { until: new Date(`${until}T23:59:59`).toISOString() } : {}),
      });
    },
    draft.ending(done),
  );
  return (
    <form onSubmit={sending.submit} noValidate>
      <Stack>
        <Select
          label={words.overrideWhat}
          data={[
            {
              group: words.overrideLimit,
              items: Object.entries(words.meters).map(([value, label]) => ({ value: `limit:${value}`, label })),
            },
            {
              group: words.overrideFeature,
              items: Object.entries(words.features).map(([value, label]) => ({ value: `feature:${value}`, label })),
            },
          ]}
          allowDeselect={false}
          searchable
          data-autofocus
          {...form.getInputProps("what")}
        />
        {isLimit ? (
          <NumberInput
            label={words.overrideLimit}
            min={0}
            allowDecimal={false}
            thousandSeparator=" "
            required
            {...form.getInputProps("limit")}
          />
        ) : (
          <Radio.Group label={words.overrideFeature} {...form.getInputProps("granted")}>
            <Stack gap="xs" mt={6}>
              <Radio value="yes" label={words.overrideGranted} />
              <Radio value="no" label={words.overrideDenied} />
            </Stack>
          </Radio.Group>
        )}
        <TextInput
          label={words.overrideReason}
          description={words.overrideReasonHint}
          required
          {...form.getInputProps("reason")}
        />
        <TextInput type="date" label={`${words.overrideUntil} (${common.optional})`} {...form.getInputProps("until")} />
        <FormEnd sending={sending} draft={draft} deed={common.create} onCancel={draft.ending(done)} />
      </Stack>
    </form>
  );
}
