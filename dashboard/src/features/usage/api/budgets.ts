import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { answer, type Schemas } from "@/lib/api/client";
import { PAGE, usePages } from "@/lib/api/paging";
import { tagged } from "@/lib/api/tagged";
import { type Org, useOrg } from "@/lib/org";
import { usageKey } from "./summary";

export type Budget = Schemas["Budget"];

function budgetsKey(org: Org) {
  return [org.id, "budgets"] as const;
}

/** The budgets that apply to the person, or all of them. */
export function useBudgets() {
  const org = useOrg();
  return usePages<Budget>([...budgetsKey(org), "list"], (cursor, signal) =>
    answer(org.api.GET("/api/v1/budgets", { params: { query: { cursor, limit: PAGE } }, signal })),
  );
}

/** A budget as it stands now, with its version, for whoever changes it. */
export function useBudget(id: string | undefined) {
  const org = useOrg();
  return useQuery({
    queryKey: [...budgetsKey(org), "one", id],
    queryFn: ({ signal }) =>
      tagged(org.api.GET("/api/v1/budgets/{id}", { params: { path: { id: id ?? "" } }, signal })),
    enabled: id !== undefined,
    // What is being edited is not changed under the hands of who edits it.
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  });
}

/** What can be done to budgets. */
export function useBudgetDeeds() {
  const org = useOrg();
  const queries = useQueryClient();
  const quiet = {
    onSuccess: () =>
      Promise.all([
        queries.invalidateQueries({ queryKey: budgetsKey(org) }),
        queries.invalidateQueries({ queryKey: [...usageKey(org), "quota"] }),
      ]),
    meta: { quiet: true },
  };
  const at = (id: string, tag: string | undefined) => ({ path: { id }, header: { "If-Match": tag } });
  return {
    create: useMutation({
      mutationFn: (body: Schemas["CreateBudget"]) => answer(org.api.POST("/api/v1/budgets", { body })),
      ...quiet,
    }),
    update: useMutation({
      mutationFn: ({ id, tag, body }: { id: string; tag: string | undefined; body: Schemas["UpdateBudget"] }) =>
        answer(org.api.PATCH("/api/v1/budgets/{id}", { params: at(id, tag), body })),
      ...quiet,
    }),
    increase: useMutation({
      mutationFn: ({ id, tag, body }: { id: string; tag: string | undefined; body: Schemas["IncreaseBudget"] }) =>
        answer(org.api.PUT("/api/v1/budgets/{id}/increase", { params: at(id, tag), body })),
      ...quiet,
    }),
    endIncrease: useMutation({
      mutationFn: (id: string) => answer(org.api.DELETE("/api/v1/budgets/{id}/increase", { params: { path: { id } } })),
      onSuccess: quiet.onSuccess,
    }),
    remove: useMutation({
      mutationFn: (id: string) => answer(org.api.DELETE("/api/v1/budgets/{id}", { params: { path: { id } } })),
      onSuccess: quiet.onSuccess,
    }),
  };
}
