import { useMutation, useQueryClient } from "@tanstack/react-query";
import { answer } from "@/lib/api/client";
import { leaving } from "@/lib/api/leaving";
import { useOrg } from "@/lib/org";
import { documentsKey } from "./list-documents";

/** Deletes a document with everything that was made of it. */
export function useDeleteDocument() {
  const org = useOrg();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (id: string) =>
      leaving(id, () => answer(org.api.DELETE("/api/v1/documents/{id}", { params: { path: { id } } }))),
    onSuccess: () => queries.invalidateQueries({ queryKey: [...documentsKey(org), "list"] }),
  });
}
