import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { answer, type Schemas } from "@/lib/api/client";
import { PAGE, usePages } from "@/lib/api/paging";
import { tagged } from "@/lib/api/tagged";
import { type Org, useOrg } from "@/lib/org";

export type RateLimit = Schemas["RateLimit"];
export type CallerUse = Schemas["CallerUse"];

function limitsKey(org: Org) {
  return [org.id, "limits"] as const;
}

/** The rate limits that the organisation has set. */
export function useLimits() {
  const org = useOrg();
  return usePages<RateLimit>([...limitsKey(org), "list"], (cursor, signal) =>
    answer(org.api.GET("/api/v1/limits", { params: { query: { cursor, limit: PAGE } }, signal })),
  );
}

/** What was let in and turned away in the last hour. */
export function useLimitActivity() {
  const org = useOrg();
  return useQuery({
    queryKey: [...limitsKey(org), "activity"],
    queryFn: ({ signal }) => answer(org.api.GET("/api/v1/limits/activity", { signal })),
    refetchInterval: 5_000,
  });
}

/** A limit as it stands now, with its version, for whoever changes it. */
export function useLimit(id: string | undefined) {
  const org = useOrg();
  return useQuery({
    queryKey: [...limitsKey(org), "one", id],
    queryFn: ({ signal }) => tagged(org.api.GET("/api/v1/limits/{id}", { params: { path: { id: id ?? "" } }, signal })),
    enabled: id !== undefined,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  });
}

/** What can be done to limits. */
export function useLimitDeeds() {
  const org = useOrg();
  const queries = useQueryClient();
  const onSuccess = () => queries.invalidateQueries({ queryKey: limitsKey(org) });
  return {
    create: useMutation({
      mutationFn: (body: Schemas["CreateLimit"]) => answer(org.api.POST("/api/v1/limits", { body })),
      onSuccess,
      meta: { quiet: true },
    }),
    update: useMutation({
      mutationFn: ({ id, tag, body }: { id: string; tag: string | undefined; body: Schemas["UpdateLimit"] }) =>
        answer(org.api.PATCH("/api/v1/limits/{id}", { params: { path: { id }, header: { "If-Match": tag } }, body })),
      onSuccess,
      meta: { quiet: true },
    }),
    remove: useMutation({
      mutationFn: (id: string) => answer(org.api.DELETE("/api/v1/limits/{id}", { params: { path: { id } } })),
      onSuccess,
    }),
  };
}
