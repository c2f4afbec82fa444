import { Select, Stack } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useConfirm } from "@/components/confirm";
import { FormEnd } from "@/components/form";
import type { Schemas } from "@/lib/api/client";
import type { Tagged } from "@/lib/api/tagged";
import { useSending } from "@/lib/forms";
import { told } from "@/lib/toast";
import { shared } from "@/lib/words/shared";
import { useWords } from "@/lib/words/words";
import { usePlans } from "./api/installation";
import { type Organization, useOrgDeeds } from "./api/orgs";
import { operator } from "./words";

const STATUSES = ["active", "past_due", "suspended"] as const;

/** An organisation's plan and status, as far as the operator decides on them. */
export function OrgForm({ of: { thing, tag } }: { of: Tagged<Organization> }) {
  const words = useWords(operator);
  const common = useWords(shared);
  const confirm = useConfirm();
  const plans = usePlans();
  const { update } = useOrgDeeds(thing.id);
  const form = useForm({ initialValues: { plan: thing.plan as string, status: thing.status as string } });
  const sending = useSending(
    form,
    async ({ plan, status }) => {
      if (status === "suspended" && status !== thing.status) {
        const meant = await confirm({
          title: words.suspendTitle(thing.name),
          text: words.suspendText,
          deed: words.suspend,
        });
        if (!meant) return false;
      }
      await update.mutateAsync({
        tag,
        body: {
          ...(plan === thing.plan ? {} : { plan }),
          ...(status === thing.status ? {} : { status: status as Schemas["OperatorStatus"] }),
        },
      });
      return true;
    },
    (sent) => {
      if (sent) told(words.orgSaved);
    },
  );
  // The state it is in is shown, even where only its owners could bring it there.
  const statuses = [...new Set([thing.status, ...STATUSES])];
  return (
    <form onSubmit={sending.submit} noValidate>
      <Stack>
        <Select
          label={words.plan}
          data={[
            ...new Map([
              [thing.plan as string, thing.plan as string],
              ...(plans.data?.data ?? []).map(({ name, title }) => [name as string, title] as const),
            ]),
          ].map(([value, label]) => ({ value, label }))}
          allowDeselect={false}
          {...form.getInputProps("plan")}
        />
        <Select
          label={words.status}
          data={statuses.map((value) => ({ value, label: words.statuses[value] }))}
          allowDeselect={false}
          {...form.getInputProps("status")}
        />
        <FormEnd sending={sending} deed={common.save} />
      </Stack>
    </form>
  );
}
