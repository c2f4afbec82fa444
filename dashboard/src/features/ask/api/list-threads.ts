import { answer, type Schemas } from "@/lib/api/client";
import { usePages } from "@/lib/api/paging";
import { type Org, useOrg } from "@/lib/org";

export type Thread = Schemas["Thread"];

/** How many conversations stand beside a page. */
const BESIDE = 30;

/** Everything that is known of an organisation's conversations is known under this. */
export function threadsKey(org: Org) {
  return [org.id, "threads"] as const;
}

/** The person's own conversations, or those that are shared, the newest first. */
export function useThreads({ q, shared }: { q: string; shared: boolean }) {
  const org = useOrg();
  return usePages<Thread>([...threadsKey(org), "list", q, shared], (cursor, signal) =>
    answer(
      org.api.GET("/api/v1/threads", {
        params: { query: { cursor, limit: BESIDE, ...(q ? { q } : {}), ...(shared ? { shared: true } : {}) } },
        signal,
      }),
    ),
  );
}
