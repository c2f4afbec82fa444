import { useMutation, useQueryClient } from "@tanstack/react-query";
import { answer } from "@/lib/api/client";
import { leaving } from "@/lib/api/leaving";
import { useOrg } from "@/lib/org";
import { type Collection, collectionsKey } from "./list-collections";

/** Deletes a collection with all documents in it, for good. */
export function useDeleteCollection() {
  const org = useOrg();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ id, name }: Collection) =>
      leaving(id, () =>
        answer(org.api.DELETE("/api/v1/collections/{id}", { params: { path: { id }, query: { confirm: name } } })),
      ),
    onSuccess: () => queries.invalidateQueries({ queryKey: [...collectionsKey(org), "list"] }),
  });
}
