import { useQuery } from "@tanstack/react-query";
import { answer } from "@/lib/api/client";
import { useOrg } from "@/lib/org";

/** What a page of the API holds at most; whoever is not on it is named by their id. */
const MOST = 200;

/** The names of those that usage is told of, as far as one may know them. */
export function useNames() {
  const org = useOrg();
  const query = { limit: MOST };
  const fresh = { staleTime: 60_000 };
  const members = useQuery({
    queryKey: [org.id, "members", "names"],
    queryFn: ({ signal }) => answer(org.api.GET("/api/v1/members", { params: { query }, signal })),
    enabled: org.can("members.read"),
    ...fresh,
  });
  const projects = useQuery({
    queryKey: [org.id, "projects", "names"],
    queryFn: ({ signal }) => answer(org.api.GET("/api/v1/projects", { params: { query }, signal })),
    enabled: org.canSomewhere("projects.read"),
    ...fresh,
  });
  const teams = useQuery({
    queryKey: [org.id, "teams", "names"],
    queryFn: ({ signal }) => answer(org.api.GET("/api/v1/teams", { params: { query }, signal })),
    enabled: org.canSomewhere("teams.read"),
    ...fresh,
  });
  const keys = useQuery({
    queryKey: [org.id, "keys", "names"],
    queryFn: ({ signal }) => answer(org.api.GET("/api/v1/auth/api-keys", { params: { query }, signal })),
    enabled: org.canSomewhere("keys.create") || org.canSomewhere("keys.manage"),
    ...fresh,
  });
  const lists = {
    user: (members.data?.data ?? []).map(({ user_id, name }) => ({ value: user_id, label: name })),
    project: (projects.data?.data ?? []).map(({ id, name }) => ({ value: id, label: name })),
    team: (teams.data?.data ?? []).map(({ id, name }) => ({ value: id, label: name })),
    key: (keys.data?.data ?? []).map(({ id, name }) => ({ value: id, label: name })),
  };
  const all = new Map(Object.values(lists).flatMap((list) => list.map(({ value, label }) => [value, label] as const)));
  return { lists, name: (id: string) => all.get(id) ?? id };
}
