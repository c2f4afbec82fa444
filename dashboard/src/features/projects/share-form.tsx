import { Select, Stack } from "@mantine/core";
import { useForm } from "@mantine/form";
import { FormEnd } from "@/components/form";
import { PersonSelect, RoleSelect } from "@/components/pickers";
import { useSending } from "@/lib/forms";
import { useOrg } from "@/lib/org";
import { useTeams } from "@/lib/roster";
import { useWords } from "@/lib/words/words";
import { usePutProjectMember } from "./api/put-project-member";
import { usePutProjectTeam } from "./api/put-project-team";
import { projects } from "./words";

/** What somebody who runs no more than a project can give there. */
const IN_A_PROJECT = ["admin", "member", "viewer"];

/** Gives a person or a team a role in a project. `who` names one that is in it already. */
export function ShareForm({
  project,
  kind,
  who,
  without,
  done,
}: {
  project: string;
  kind: "person" | "team";
  who?: { id: string; role: string };
  without: readonly string[];
  done: () => void;
}) {
  const words = useWords(projects);
  const org = useOrg();
  const { teams } = useTeams(kind === "team");
  const putPerson = usePutProjectMember();
  const putTeam = usePutProjectTeam();
  const form = useForm({
    initialValues: { id: who?.id ?? "", role: who?.role ?? "member" },
    validate: { id: (value) => (value ? null : words.required) },
  });
  const sending = useSending<{ id: string; role: string }, unknown>(
    form,
    ({ id, role }) =>
      kind === "person"
        ? putPerson.mutateAsync({ id: project, user_id: id, role })
        : putTeam.mutateAsync({ id: project, team_id: id, role }),
    done,
    { params: { user_id: "id", team_id: "id" } },
  );
  const add = kind === "person" ? words.people.add : words.teams.add;
  return (
    <form onSubmit={sending.submit} noValidate>
      <Stack>
        {!who && kind === "person" && (
          <PersonSelect
            label={words.people.person}
            without={without}
            required
            data-autofocus
            {...form.getInputProps("id")}
          />
        )}
        {!who && kind === "team" && (
          <Select
            label={words.teams.team}
            searchable
            required
            data-autofocus
            data={teams.filter(({ id }) => !without.includes(id)).map(({ id, name }) => ({ value: id, label: name }))}
            {...form.getInputProps("id")}
          />
        )}
        <RoleSelect
          label={words.role}
          roles={org.can("projects.members") ? undefined : IN_A_PROJECT}
          {...form.getInputProps("role")}
        />
        <FormEnd sending={sending} deed={who ? words.saveRole : add} onCancel={done} />
      </Stack>
    </form>
  );
}
