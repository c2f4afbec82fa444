import { answer, type Schemas } from "@/lib/api/client";
import { PAGE, usePages } from "@/lib/api/paging";
import { type Org, useOrg } from "@/lib/org";

export type Source = Schemas["Source3"];

/** Everything that is known of an organisation's sources is known under this. */
export function sourcesKey(org: Org) {
  return [org.id, "sources"] as const;
}

/** The sources of a collection. */
export function useSources(collection: string) {
  const org = useOrg();
  return usePages<Source>([...sourcesKey(org), collection], (cursor, signal) =>
    answer(
      org.api.GET("/api/v1/collections/{id}/sources", {
        params: { path: { id: collection }, query: { cursor, limit: PAGE } },
        signal,
      }),
    ),
  );
}
