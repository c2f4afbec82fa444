import { useMutation, useQueryClient } from "@tanstack/react-query";
import { answer, type Schemas } from "@/lib/api/client";
import { useOrg } from "@/lib/org";
import { collectionsKey } from "./list-collections";

/** Makes a collection. */
export function useCreateCollection() {
  const org = useOrg();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: Schemas["CreateCollection"]) => answer(org.api.POST("/api/v1/collections", { body })),
    onSuccess: () => queries.invalidateQueries({ queryKey: collectionsKey(org) }),
    meta: { quiet: true },
  });
}
