/** Who is who in an organisation: names for the ids that the API gives. */
import { useMemo } from "react";
import { usePeople, useProjects, useTeams } from "@/lib/roster";

/** People, teams and projects by name, as far as the person may see them. */
export interface Directory {
  people: readonly { id: string; name: string; email: string }[];
  teams: readonly { id: string; name: string }[];
  projects: readonly { id: string; name: string }[];
  /** What somebody, a team or a project is called; `undefined` when it is not known. */
  nameOf: (id: string) => string | undefined;
}

export function useDirectory(): Directory {
  const { people } = usePeople();
  const { teams } = useTeams();
  const { projects } = useProjects();
  return useMemo(() => {
    const all = {
      people: people.map(({ user_id, name, email }) => ({ id: user_id, name, email })),
      teams: teams.map(({ id, name }) => ({ id, name })),
      projects: projects.map(({ id, name }) => ({ id, name })),
    };
    const names = new Map([...all.people, ...all.teams, ...all.projects].map(({ id, name }) => [id, name]));
    return { ...all, nameOf: (id) => names.get(id) };
  }, [people, teams, projects]);
}
