import { useMutation, useQueryClient } from "@tanstack/react-query";
import { answer, type Schemas } from "@/lib/api/client";
import { useOrg } from "@/lib/org";
import { documentsKey } from "./list-documents";

/** Adds text as a document of a collection. */
export function useAddText(collection: string) {
  const org = useOrg();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: Schemas["PasteText"]) =>
      answer(org.api.POST("/api/v1/collections/{id}/documents/text", { params: { path: { id: collection } }, body })),
    onSuccess: () => queries.invalidateQueries({ queryKey: documentsKey(org) }),
    meta: { quiet: true },
  });
}
