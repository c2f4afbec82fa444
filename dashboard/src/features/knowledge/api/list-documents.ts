import { answer, type Schemas } from "@/lib/api/client";
import { PAGE, usePages } from "@/lib/api/paging";
import { type Org, useOrg } from "@/lib/org";

export type Document = Schemas["Document"];

/** Everything that is known of an organisation's documents is known under this. */
export function documentsKey(org: Org) {
  return [org.id, "documents"] as const;
}

/** The documents of a collection. */
export function useDocuments(collection: string) {
  const org = useOrg();
  return usePages<Document>([...documentsKey(org), "list", collection], (cursor, signal) =>
    answer(
      org.api.GET("/api/v1/collections/{id}/documents", {
        params: { path: { id: collection }, query: { cursor, limit: PAGE } },
        signal,
      }),
    ),
  );
}
