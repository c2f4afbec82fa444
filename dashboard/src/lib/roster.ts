/** Who and what the ids of an organisation mean: its people, teams, projects and roles by name, for lists to show and forms to choose from. */
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import type { Permission, Schemas } from "@/lib/api/client";
import { answer } from "@/lib/api/client";
import type { PageOf } from "@/lib/api/paging";
import { useOrg } from "@/lib/org";
import { shared } from "@/lib/words/shared";
import { useWords } from "@/lib/words/words";

/** The API's largest page. */
const LIMIT = 200;
/** How many pages are read for a list to choose from: beyond that nobody chooses from a list. */
const PAGES = 10;
const KEPT = 30_000;

/** All of a list, up to 2,000 things. */
export async function all<T>(page: (cursor: string | undefined) => Promise<PageOf<T>>): Promise<T[]> {
  const found: T[] = [];
  let cursor: string | undefined;
  for (let at = 0; at < PAGES; at += 1) {
    const { data, next_cursor } = await page(cursor);
    found.push(...data);
    if (!next_cursor) break;
    cursor = next_cursor;
  }
  return found;
}

/** The members by name. */
export function usePeople(enabled = true) {
  const org = useOrg();
  const { data, isPending, isLoading, error, refetch } = useQuery({
    queryKey: [org.id, "members", "all"],
    queryFn: ({ signal }) =>
      all<Schemas["Member"]>((cursor) =>
        answer(org.api.GET("/api/v1/members", { params: { query: { cursor, limit: LIMIT } }, signal })),
      ),
    enabled: enabled && org.can("members.read"),
    staleTime: KEPT,
  });
  return useMemo(() => {
    const people = data ?? [];
    const byId = new Map(people.map((person) => [person.user_id, person]));
    /** Whether there are no others. */
    const isWhole = data !== undefined && data.length < LIMIT * PAGES;
    return { people, find: (id: string) => byId.get(id), isWhole, isPending, isLoading, error, refetch };
  }, [data, isPending, isLoading, error, refetch]);
}

/** The teams by name. */
export function useTeams(enabled = true) {
  const org = useOrg();
  const { data, isPending, error, refetch } = useQuery({
    queryKey: [org.id, "teams", "all"],
    queryFn: ({ signal }) =>
      all<Schemas["Team"]>((cursor) =>
        answer(org.api.GET("/api/v1/teams", { params: { query: { cursor, limit: LIMIT } }, signal })),
      ),
    enabled: enabled && org.canSomewhere("teams.read"),
    staleTime: KEPT,
  });
  return useMemo(() => {
    const teams = data ?? [];
    const byId = new Map(teams.map((team) => [team.id, team]));
    return { teams, find: (id: string) => byId.get(id), isPending, error, refetch };
  }, [data, isPending, error, refetch]);
}

/** The projects by name, archived ones too. */
export function useProjects(enabled = true) {
  const org = useOrg();
  const { data, isPending, error } = useQuery({
    queryKey: [org.id, "projects", "all"],
    queryFn: ({ signal }) =>
      all<Schemas["Project"]>((cursor) =>
        answer(org.api.GET("/api/v1/projects", { params: { query: { cursor, limit: LIMIT } }, signal })),
      ),
    enabled: enabled && org.canSomewhere("projects.read"),
    staleTime: KEPT,
  });
  return useMemo(() => {
    const projects = data ?? [];
    const byId = new Map(projects.map((project) => [project.id, project]));
    return { projects, find: (id: string) => byId.get(id), isPending, error };
  }, [data, isPending, error]);
}

/** The roles: how each is called, and which of them the person may give. */
export function useRoles() {
  const org = useOrg();
  const words = useWords(shared);
  const { data, isPending, error, refetch } = useQuery({
    queryKey: [org.id, "roles", "all"],
    queryFn: ({ signal }) =>
      all<Schemas["RoleInFull"]>((cursor) =>
        answer(org.api.GET("/api/v1/roles", { params: { query: { cursor, limit: LIMIT } }, signal })),
      ),
    enabled: org.can("roles.read"),
    staleTime: KEPT,
  });
  return useMemo(() => {
    const roles = data ?? [];
    const byId = new Map(roles.map((role) => [role.id, role]));
    const nameOf = (id: string): string =>
      id in words.roles && id !== "custom"
        ? words.roles[id as keyof typeof words.roles]
        : (byId.get(id)?.name ?? words.roles.custom);
    /** Nobody gives more than they hold, nor touches who holds more. */
    const within = (id: string) => byId.get(id)?.permissions.every((permission) => org.can(permission)) ?? false;
    const gives = (id: string, permission: Permission) => byId.get(id)?.permissions.includes(permission) ?? false;
    return {
      roles,
      find: (id: string) => byId.get(id),
      nameOf,
      within,
      gives,
      grantable: roles.filter((role) => within(role.id)),
      isPending,
      error,
      refetch,
    };
  }, [data, words, org, isPending, error, refetch]);
}
