import { useMutation, useQueryClient } from "@tanstack/react-query";
import { answer, type Schemas } from "@/lib/api/client";
import { PAGE, usePages } from "@/lib/api/paging";
import { type Org, useOrg } from "@/lib/org";

export type Alias = Schemas["Alias"];
export type Target = Schemas["AliasTarget"];

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

/** What can be done to names. */
export function useAliasDeeds() {
  const org = useOrg();
  const queries = useQueryClient();
  const onSuccess = () =>
    Promise.all([
      queries.invalidateQueries({ queryKey: aliasesKey(org) }),
      queries.invalidateQueries({ queryKey: [org.id, "models"] }),
    ]);
  const at = (alias: string, project_id: string | null | undefined) => ({
    path: { alias },
    query: { project_id: project_id ?? undefined },
  });
  return {
    put: useMutation({
      mutationFn: ({ alias, project, targets }: { alias: string; project?: string | null; targets: Target[] }) =>
        answer(org.api.PUT("/api/v1/models/aliases/{alias}", { params: at(alias, project), body: { targets } })),
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
