import { Select, Stack, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { FormEnd } from "@/components/form";
import { useDraft } from "@/lib/drafts";
import { useSending } from "@/lib/forms";
import { useOrg } from "@/lib/org";
import { useTeams } from "@/lib/roster";
import { shared } from "@/lib/words/shared";
import { useWords } from "@/lib/words/words";
import { useCreateTeam } from "./api/create-team";
import { useUpdateTeam } from "./api/update-team";
import { type Team, withBelow } from "./tree";
import { teams as wordsOf } from "./words";

const TOP = "top";
/** A team's name, as the API bounds it. */
const NAME = 80;

/** Makes a team, perhaps below `parent`; or changes `of`. */
export function TeamForm({
  of,
  parent,
  done,
  cancel,
}: {
  of?: Team;
  parent?: string;
  done: (team: Team) => void;
  cancel: () => void;
}) {
  const words = useWords(wordsOf);
  const common = useWords(shared);
  const org = useOrg();
  const { teams } = useTeams();
  const create = useCreateTeam();
  const update = useUpdateTeam();
  const form = useForm({
    initialValues: { name: of?.name ?? "", parent_id: of?.parent_id ?? parent ?? TOP },
    validate: {
      name: (value) =>
        !value.trim() ? common.errors.required : value.trim().length > NAME ? common.errors.tooLong(NAME) : null,
    },
  });
  const draft = useDraft(form, of ? `team-${of.id}` : `team-in-${parent ?? TOP}`, {
    onto: of && form.getInitialValues(),
  });
  const sending = useSending(
    form,
    ({ name, parent_id }) => {
      const above = parent_id === TOP ? null : parent_id;
      if (!of) return create.mutateAsync({ name: name.trim(), parent_id: above });
      const moved = above !== (of.parent_id ?? null);
      return update.mutateAsync({ id: of.id, name: name.trim(), ...(moved ? { parent_id: above } : {}) });
    },
    draft.ending(done),
  );
  const own = of ? withBelow(teams, of.id) : new Set<string>();
  // Who leads a team only there neither makes others beside it nor moves it away.
  const mayPlace = of ? org.can("teams.update") && org.can("teams.members") : org.can("teams.create");
  return (
    <form onSubmit={sending.submit} noValidate>
      <Stack>
        <TextInput label={words.form.name} required data-autofocus {...form.getInputProps("name")} />
        {mayPlace && (
          <Select
            label={words.form.parent}
            searchable
            allowDeselect={false}
            data={[
              { value: TOP, label: words.form.top },
              ...teams.filter(({ id }) => !own.has(id)).map(({ id, name }) => ({ value: id, label: name })),
            ]}
            {...form.getInputProps("parent_id")}
          />
        )}
        <FormEnd
          sending={sending}
          draft={draft}
          deed={of ? common.save : words.create}
          onCancel={draft.ending(cancel)}
        />
      </Stack>
    </form>
  );
}
