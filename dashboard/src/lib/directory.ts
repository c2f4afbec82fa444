/** Who is who in an organisation: names for the ids that the API gives. The first 200 of each, which is a page of the API. */
import { useQuery } from "@tanstack/react-query";
import { answer } from "@/lib/api/client";
import { useOrg } from "@/lib/org";

const limit = 200;
const staleTime = 60_000;

/** People, teams and projects by name, as far as the person may see them. */
export interface Directory {
  people: readonly { id: string; name: string; email: string }[];
  teams: readonly { id: string; name: string }[];
  projects: readonly { id: string; name: string }[];
  /** What somebody, a team or a project is called; `undefined` when it is not known. */
  nameOf: (id: string) => string | undefined;
}

export function useDirectory(): Directory {
  const org = useOrg();
  const people = useQuery({
    queryKey: [org.id, "members", "directory"],
    queryFn: ({ signal }) => answer(org.api.GET("/api/v1/members", { params: { query: { limit } }, signal })),
    enabled: org.can("members.read"),
    staleTime,
  });
  const teams = useQuery({
    queryKey: [org.id, "teams", "directory"],
    queryFn: ({ signal }) => answer(org.api.GET("/api/v1/teams", { params: { query: { limit } }, signal })),
    enabled: org.can("teams.read"),
    staleTime,
  });
  const projects = useQuery({
    queryKey: [org.id, "projects", "directory"],
    queryFn: ({ signal }) => answer(org.api.GET("/api/v1/projects", { params: { query: { limit } }, signal })),
    enabled: org.can("projects.read"),
    staleTime,
  });
  const all = {
    people: (people.data?.data ?? []).map(({ user_id, name, email }) => ({ id: user_id, name, email })),
    teams: (teams.data?.data ?? []).map(({ id, name }) => ({ id, name })),
    projects: (projects.data?.data ?? []).map(({ id, name }) => ({ id, name })),
  };
  return {
    ...all,
    nameOf: (id) => [...all.people, ...all.teams, ...all.projects].find((one) => one.id === id)?.name,
  };
}
