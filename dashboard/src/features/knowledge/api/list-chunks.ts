import { answer, type Schemas } from "@/lib/api/client";
import { usePages } from "@/lib/api/paging";
import { useOrg } from "@/lib/org";
import { documentsKey } from "./list-documents";

export type Chunk = Schemas["Chunk"];

/** The passages of a document, in order. */
export function useChunks(document: string) {
  const org = useOrg();
  return usePages<Chunk>([...documentsKey(org), document, "chunks"], (cursor, signal) =>
    answer(
      org.api.GET("/api/v1/documents/{id}/chunks", {
        params: { path: { id: document }, query: { cursor, limit: 20 } },
        signal,
      }),
    ),
  );
}
