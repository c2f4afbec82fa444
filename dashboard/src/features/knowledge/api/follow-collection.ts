import type { Schemas } from "@/lib/api/client";
import { streamOf } from "@/lib/api/event-stream";
import type { Org } from "@/lib/org";

export type Job = Schemas["Job"];

/** The stream of what is under way in a collection. */
export function followCollection(org: Org, id: string, signal: AbortSignal) {
  return streamOf(
    org.api.GET("/api/v1/collections/{id}/events", {
      params: { path: { id } },
      headers: { accept: "text/event-stream" },
      parseAs: "stream",
      signal,
    }),
  );
}
