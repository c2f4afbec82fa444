import { useQuery } from "@tanstack/react-query";
import { answer } from "@/lib/api/client";
import { useOrg } from "@/lib/org";
import { documentsKey } from "./list-documents";

/** What was read from a version of a document; from the one that is found now, when none is named. `state` tells of a newer one. */
export function useDocumentContent(id: string, version: number | undefined, state: string) {
  const org = useOrg();
  return useQuery({
    queryKey: [...documentsKey(org), id, "content", version ?? state],
    queryFn: ({ signal }) =>
      answer(
        org.api.GET("/api/v1/documents/{id}/content", {
          params: { path: { id }, query: version ? { version } : {} },
          signal,
        }),
      ),
  });
}
