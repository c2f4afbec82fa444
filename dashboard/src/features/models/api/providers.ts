import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { answer, type Schemas } from "@/lib/api/client";
import { PAGE, usePages } from "@/lib/api/paging";
import { tagged } from "@/lib/api/tagged";
import { type Org, useOrg } from "@/lib/org";

export type Provider = Schemas["Provider"];
export type Trial = Schemas["Trial"];

function providersKey(org: Org) {
  return [org.id, "providers"] as const;
}

/** The providers that were brought, without their keys. */
export function useProviders() {
  const org = useOrg();
  return usePages<Provider>([...providersKey(org), "list"], (cursor, signal) =>
    answer(org.api.GET("/api/v1/providers", { params: { query: { cursor, limit: PAGE } }, signal })),
  );
}

/** A provider as it stands now, with its version, for whoever changes it. */
export function useProvider(id: string) {
  const org = useOrg();
  return useQuery({
    queryKey: [...providersKey(org), "one", id],
    queryFn: ({ signal }) => tagged(org.api.GET("/api/v1/providers/{id}", { params: { path: { id } }, signal })),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  });
}

/** What can be done to providers. Keys go out and are not kept. */
export function useProviderDeeds() {
  const org = useOrg();
  const queries = useQueryClient();
  const onSuccess = () =>
    Promise.all([
      queries.invalidateQueries({ queryKey: providersKey(org) }),
      queries.invalidateQueries({ queryKey: [org.id, "models"] }),
    ]);
  return {
    create: useMutation({
      mutationFn: (body: Schemas["CreateProvider"]) => answer(org.api.POST("/api/v1/providers", { body })),
      onSuccess,
      meta: { quiet: true },
      gcTime: 0,
    }),
    update: useMutation({
      mutationFn: ({ id, tag, body }: { id: string; tag: string | undefined; body: Schemas["UpdateProvider"] }) =>
        answer(
          org.api.PATCH("/api/v1/providers/{id}", { params: { path: { id }, header: { "If-Match": tag } }, body }),
        ),
      onSuccess,
      meta: { quiet: true },
      gcTime: 0,
    }),
    remove: useMutation({
      mutationFn: (id: string) => answer(org.api.DELETE("/api/v1/providers/{id}", { params: { path: { id } } })),
      onSuccess,
    }),
    test: useMutation({
      mutationFn: (id: string) => answer(org.api.POST("/api/v1/providers/{id}/test", { params: { path: { id } } })),
    }),
  };
}
