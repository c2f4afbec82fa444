import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { answer, type Schemas } from "@/lib/api/client";
import { type Org, useOrg } from "@/lib/org";

/** While another model takes over, how far it is is asked for so often. */
const UNDER_WAY = 2000;

export type Embedding = Schemas["Embedding"];

function embeddingKey(org: Org) {
  return [org.id, "knowledge", "embedding"] as const;
}

/** By which model documents are embedded, and how far another is. */
export function useEmbedding() {
  const org = useOrg();
  return useQuery({
    queryKey: embeddingKey(org),
    queryFn: ({ signal }) => answer(org.api.GET("/api/v1/knowledge/embedding", { signal })),
    refetchInterval: ({ state: { data } }) => (data?.coming ? UNDER_WAY : false),
  });
}

/** Chooses a model by which documents are embedded. */
export function useChooseEmbedding() {
  const org = useOrg();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: Schemas["ChooseEmbedding"]) => answer(org.api.PUT("/api/v1/knowledge/embedding", { body })),
    onSuccess: () => queries.invalidateQueries({ queryKey: embeddingKey(org) }),
    meta: { quiet: true },
  });
}

/** Goes back to the installation's model. */
export function useForgetEmbedding() {
  const org = useOrg();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () => answer(org.api.DELETE("/api/v1/knowledge/embedding")),
    onSuccess: () => queries.invalidateQueries({ queryKey: embeddingKey(org) }),
  });
}
