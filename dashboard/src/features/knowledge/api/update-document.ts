import { useMutation, useQueryClient } from "@tanstack/react-query";
import { answer, type Schemas } from "@/lib/api/client";
import { useOrg } from "@/lib/org";
import { documentsKey } from "./list-documents";

/** Changes a document's title or tags. */
export function useUpdateDocument(id: string) {
  const org = useOrg();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: Schemas["UpdateDocument"]) =>
      answer(org.api.PATCH("/api/v1/documents/{id}", { params: { path: { id } }, body })),
    onSuccess: () => queries.invalidateQueries({ queryKey: documentsKey(org) }),
    meta: { quiet: true },
  });
}
