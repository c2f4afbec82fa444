import { answer, type Schemas } from "@/lib/api/client";
import { PAGE, usePages } from "@/lib/api/paging";
import { type Org, useOrg } from "@/lib/org";

export type Collection = Schemas["Collection"];

/** Everything that is known of an organisation's collections is known under this. */
export function collectionsKey(org: Org) {
  return [org.id, "collections"] as const;
}

/** The collections that the person sees, of a project or all. */
export function useCollections(project: string | undefined) {
  const org = useOrg();
  return usePages<Collection>([...collectionsKey(org), "list", project ?? null], (cursor, signal) =>
    answer(
      org.api.GET("/api/v1/collections", {
        params: { query: { cursor, limit: PAGE, ...(project ? { project_id: project } : {}) } },
        signal,
      }),
    ),
  );
}
