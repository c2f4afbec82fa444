import { answer, type Schemas } from "@/lib/api/client";
import { PAGE, usePages } from "@/lib/api/paging";
import { type Org, useOrg } from "@/lib/org";

export type Key = Schemas["ApiKey"];

/** Everything that is known of an organisation's keys is known under this. */
export function keysKey(org: Org) {
  return [org.id, "keys"] as const;
}

/** The keys of an organisation: one's own, and those one manages. */
export function useKeys() {
  const org = useOrg();
  return usePages<Key>([...keysKey(org), "list"], (cursor, signal) =>
    answer(org.api.GET("/api/v1/auth/api-keys", { params: { query: { cursor, limit: PAGE } }, signal })),
  );
}
