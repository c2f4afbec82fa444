import { useMutation, useQueryClient } from "@tanstack/react-query";
import { answer, type Schemas } from "@/lib/api/client";
import { useOrg } from "@/lib/org";
import { collectionsKey } from "./list-collections";

/** Changes a collection, or who sees it. */
export function useUpdateCollection(id: string) {
  const org = useOrg();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: Schemas["UpdateCollection"]) =>
      answer(org.api.PATCH("/api/v1/collections/{id}", { params: { path: { id } }, body })),
    onSuccess: () => queries.invalidateQueries({ queryKey: collectionsKey(org) }),
  });
}
