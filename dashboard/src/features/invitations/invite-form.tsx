import { Stack, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { FormEnd } from "@/components/form";
import { ProjectsSelect, RoleSelect, TeamsSelect } from "@/components/pickers";
import { useDraft } from "@/lib/drafts";
import { useSending } from "@/lib/forms";
import { useOrg } from "@/lib/org";
import { shared } from "@/lib/words/shared";
import { useWords } from "@/lib/words/words";
import { type SentInvitation, useCreateInvitation } from "./api/create-invitation";
import { invitations } from "./words";

export function InviteForm({ done, cancel }: { done: (sent: SentInvitation) => void; cancel: () => void }) {
  const words = useWords(invitations);
  const common = useWords(shared);
  const org = useOrg();
  const create = useCreateInvitation();
  const form = useForm({
    initialValues: {
      email: "",
      role: "member",
      teams: [] as string[],
      projects: [] as string[],
      inside: "member",
    },
    validate: {
      email: (value) =>
        !value.trim() ? common.errors.required : /^\S+@\S+$/.test(value.trim()) ? null : common.errors.mail,
    },
  });
  const draft = useDraft(form, "invite");
  const sending = useSending(
    form,
    ({ email, role, teams, projects, inside }) =>
      create.mutateAsync({
        email: email.trim(),
        role,
        teams: teams.map((team_id) => ({ team_id, role: inside })),
        projects: projects.map((project_id) => ({ project_id, role: inside })),
      }),
    (sent) => {
      draft.forget();
      done(sent);
    },
  );
  const { teams, projects } = form.values;
  return (
    <form onSubmit={sending.submit} noValidate>
      <Stack>
        <TextInput
          label={words.form.email}
          type="email"
          autoComplete="off"
          required
          data-autofocus
          {...form.getInputProps("email")}
        />
        <RoleSelect label={words.form.role} description={words.form.roleHint} {...form.getInputProps("role")} />
        {org.can("teams.members") && (
          <TeamsSelect label={`${words.form.teams} (${common.optional})`} {...form.getInputProps("teams")} />
        )}
        {org.can("projects.members") && (
          <ProjectsSelect label={`${words.form.projects} (${common.optional})`} {...form.getInputProps("projects")} />
        )}
        {(teams.length > 0 || projects.length > 0) && (
          <RoleSelect label={words.form.inside} {...form.getInputProps("inside")} />
        )}
        <FormEnd sending={sending} draft={draft} deed={words.form.send} onCancel={draft.ending(cancel)} />
      </Stack>
    </form>
  );
}
