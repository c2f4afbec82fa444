import { useMutation, useQueryClient } from "@tanstack/react-query";
import { answer } from "@/lib/api/client";
import { useOrg } from "@/lib/org";
import { type Collection, collectionsKey } from "./list-collections";

/** Deletes a collection with all documents in it, for good. */
export function useDeleteCollection() {
  const org = useOrg();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ id, name }: Collection) =>
      answer(org.api.DELETE("/api/v1/collections/{id}", { params: { path: { id }, query: { confirm: name } } })),
    onSuccess: (_, { id }) => {
      queries.removeQueries({ queryKey: [...collectionsKey(org), id] });
      return queries.invalidateQueries({ queryKey: [...collectionsKey(org), "list"] });
    },
  });
}
