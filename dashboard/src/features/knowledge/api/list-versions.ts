import { answer, type Schemas } from "@/lib/api/client";
import { PAGE, usePages } from "@/lib/api/paging";
import { useOrg } from "@/lib/org";
import { documentsKey } from "./list-documents";

export type Version = Schemas["DocumentVersion"];

/** The versions of a document. */
export function useVersions(document: string) {
  const org = useOrg();
  return usePages<Version>([...documentsKey(org), document, "versions"], (cursor, signal) =>
    answer(
      org.api.GET("/api/v1/documents/{id}/versions", {
        params: { path: { id: document }, query: { cursor, limit: PAGE } },
        signal,
      }),
    ),
  );
}
