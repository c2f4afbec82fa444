import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { answer, type Schemas } from "@/lib/api/client";
import { PAGE, usePages } from "@/lib/api/paging";
import { tagged } from "@/lib/api/tagged";
import { type Org, useOrg } from "@/lib/org";

export type Alias = Schemas["Alias"];
export type Target = Schemas["AliasTarget"];

/** What a name is to stand for, if it still is of the version that was read. */
interface Given {
  alias: string;
  project: string | null | undefined;
  tag: string | undefined;
  targets: Target[];
}

function aliasesKey(org: Org) {
  return [org.id, "aliases"] as const;
}

/** The names that the organisation gives to models. */
export function useAliases() {
  const org = useOrg();
  return usePages<Alias>([...aliasesKey(org), "list"], (cursor, signal) =>
    answer(org.api.GET("/api/v1/models/aliases", { params: { query: { cursor, limit: PAGE } }, signal })),
  );
}

/** Where a name stands: in a project, or for the whole organisation. */
function at(alias: string, project_id: string | null | undefined) {
  return { path: { alias }, query: { project_id: project_id ?? undefined } };
}

/** A name as it stands now, with its version, for whoever changes it. */
export function useAlias({ alias, project_id }: Alias) {
  const org = useOrg();
  return useQuery({
    queryKey: [...aliasesKey(org), "one", alias, project_id ?? null],
    queryFn: ({ signal }) =>
      tagged(org.api.GET("/api/v1/models/aliases/{alias}", { params: at(alias, project_id), signal })),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  });
}

/** The version of a name that is not given yet. */
export const UNGIVEN = '"0"';

/** What can be done to names. */
export function useAliasDeeds() {
  const org = useOrg();
  const queries = useQueryClient();
  const onSuccess = () =>
    Promise.all([
      queries.invalidateQueries({ queryKey: aliasesKey(org) }),
      queries.invalidateQueries({ queryKey: [org.id, "models"] }),
    ]);
  return {
    put: useMutation({
      mutationFn: ({ alias, project, tag, targets }: Given) =>
        answer(
          org.api.PUT("/api/v1/models/aliases/{alias}", {
            params: { ...at(alias, project), header: { "If-Match": tag } },
            body: { targets },
          }),
        ),
      onSuccess,
      meta: { quiet: true },
    }),
    remove: useMutation({
      mutationFn: ({ alias, project_id }: Alias) =>
        answer(org.api.DELETE("/api/v1/models/aliases/{alias}", { params: at(alias, project_id) })),
      onSuccess,
    }),
  };
}
