import { Stack } from "@mantine/core";
import { useForm } from "@mantine/form";
import { FormEnd } from "@/components/form";
import { PersonSelect, RoleSelect } from "@/components/pickers";
import { useSending } from "@/lib/forms";
import { useOrg } from "@/lib/org";
import { useWords } from "@/lib/words/words";
import type { TeamMember } from "./api/list-team-members";
import { usePutTeamMember } from "./api/put-team-member";
import type { Team } from "./tree";
import { teams } from "./words";

/** What somebody who leads no more than a team can give there. */
const IN_A_TEAM = ["admin", "member", "viewer"];

/** Puts somebody into a team; with `of`, changes what they are there. */
export function PersonForm({
  team,
  of,
  without,
  done,
  cancel,
}: {
  team: Team;
  of?: TeamMember;
  without: readonly string[];
  done: (user: string) => void;
  cancel: () => void;
}) {
  const words = useWords(teams);
  const org = useOrg();
  const put = usePutTeamMember();
  const form = useForm({
    initialValues: { user_id: of?.user_id ?? "", role: of?.role ?? "member" },
    validate: { user_id: (value) => (value ? null : words.required) },
  });
  const sending = useSending(
    form,
    ({ user_id, role }) => put.mutateAsync({ id: team.id, user_id, role }),
    (_, { user_id }) => done(user_id),
  );
  return (
    <form onSubmit={sending.submit} noValidate>
      <Stack>
        {!of && (
          <PersonSelect
            label={words.add.person}
            without={without}
            required
            data-autofocus
            {...form.getInputProps("user_id")}
          />
        )}
        <RoleSelect
          label={words.add.role}
          roles={org.can("teams.members") ? undefined : IN_A_TEAM}
          {...form.getInputProps("role")}
        />
        <FormEnd sending={sending} deed={of ? words.role.save : words.add.deed} onCancel={cancel} />
      </Stack>
    </form>
  );
}
