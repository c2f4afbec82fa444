import { Select, Stack, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { FormEnd } from "@/components/form";
import { RoleSelect, TeamsSelect } from "@/components/pickers";
import { useDraft } from "@/lib/drafts";
import { useSending } from "@/lib/forms";
import { shared } from "@/lib/words/shared";
import { useWords } from "@/lib/words/words";
import { useClaimDomain } from "./api/claim-domain";
import type { MailDomain } from "./api/list-domains";
import { useUpdateDomain } from "./api/update-domain";
import { signIns } from "./words";

/** What joining by a domain can give. */
const ROLES = ["member", "viewer"];

/** Claims a domain; with `of`, changes what joining by that one gives. */
export function DomainForm({
  of,
  done,
  cancel,
}: {
  of?: MailDomain;
  done: (domain: MailDomain) => void;
  cancel: () => void;
}) {
  const words = useWords(signIns).domains;
  const common = useWords(shared);
  const claim = useClaimDomain();
  const update = useUpdateDomain();
  const form = useForm({
    initialValues: {
      domain: of?.domain ?? "",
      mailbox: "postmaster",
      role: of?.role ?? "member",
      teams: of?.teams.map(({ team_id }) => team_id) ?? ([] as string[]),
    },
    validate: { domain: (value) => (value.trim() ? null : common.errors.required) },
  });
  const draft = useDraft(form, of ? `domain-${of.id}` : "domain", { onto: of && form.getInitialValues() });
  const sending = useSending(
    form,
    ({ domain, mailbox, role, teams }) => {
      const gives = { role, teams: teams.map((team_id) => ({ team_id, role })) };
      return of
        ? update.mutateAsync({ id: of.id, ...gives })
        : claim.mutateAsync({ domain: domain.trim().toLowerCase(), mailbox, ...gives });
    },
    draft.ending(done),
  );
  return (
    <form onSubmit={sending.submit} noValidate>
      <Stack>
        {!of && (
          <>
            <TextInput
              label={words.form.domain}
              description={words.form.hint}
              autoComplete="off"
              required
              data-autofocus
              {...form.getInputProps("domain")}
            />
            <Select
              label={words.form.mailbox}
              description={words.form.mailboxHint}
              allowDeselect={false}
              data={["postmaster", "admin"].map((value) => ({
                value,
                label: `${value}@${form.values.domain.trim() || "…"}`,
              }))}
              {...form.getInputProps("mailbox")}
            />
          </>
        )}
        <RoleSelect label={words.form.role} roles={ROLES} {...form.getInputProps("role")} />
        <TeamsSelect label={`${words.form.teams} (${common.optional})`} {...form.getInputProps("teams")} />
        <FormEnd
          sending={sending}
          draft={draft}
          deed={of ? common.save : words.form.deed}
          onCancel={draft.ending(cancel)}
        />
      </Stack>
    </form>
  );
}
