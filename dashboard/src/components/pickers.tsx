/** Fields that choose a person, a role, a team or a project, by name. */
import { MultiSelect, type MultiSelectProps, Select, type SelectProps } from "@mantine/core";
import { usePeople, useProjects, useRoles, useTeams } from "@/lib/roster";
import { shared } from "@/lib/words/shared";
import { useWords } from "@/lib/words/words";

type One = Omit<SelectProps, "data">;
type Many = Omit<MultiSelectProps, "data">;

/** Chooses a member; those in `without` are left out. */
export function PersonSelect({ without = [], ...rest }: One & { without?: readonly string[] }) {
  const { people } = usePeople();
  const twice = new Set(people.map(({ name }) => name).filter((name, at, names) => names.indexOf(name) !== at));
  const data = people
    .filter((person) => !without.includes(person.user_id))
    .map((person) => ({
      value: person.user_id,
      label: twice.has(person.name) ? `${person.name} (${person.email})` : person.name,
    }));
  return <Select searchable data={data} limit={100} {...rest} />;
}

/** Chooses a role that the person may give; with `roles`, one of those. */
export function RoleSelect({ roles, ...rest }: One & { roles?: readonly string[] }) {
  const words = useWords(shared);
  const { grantable, nameOf } = useRoles();
  const ids = roles ?? grantable.map((role) => role.id);
  return (
    <Select
      label={words.role}
      data={ids.map((id) => ({ value: id, label: nameOf(id) }))}
      allowDeselect={false}
      {...rest}
    />
  );
}

/** Chooses teams. */
export function TeamsSelect({ without = [], ...rest }: Many & { without?: readonly string[] }) {
  const { teams } = useTeams();
  const data = teams.filter(({ id }) => !without.includes(id)).map(({ id, name }) => ({ value: id, label: name }));
  return <MultiSelect searchable clearable data={data} limit={100} {...rest} />;
}

/** Chooses projects that are not archived. */
export function ProjectsSelect(props: Many) {
  const { projects } = useProjects();
  return (
    <MultiSelect
      searchable
      clearable
      data={projects.filter((project) => !project.archived_at).map(({ id, name }) => ({ value: id, label: name }))}
      limit={100}
      {...props}
    />
  );
}
