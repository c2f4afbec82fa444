import { streamOf } from "@/lib/api/event-stream";
import type { Org } from "@/lib/org";

export interface Wish {
  content: string;
  model?: string;
  collections?: string[];
}

/** Asks, and gives the stream of the steps to an answer. Who goes away ends it: nothing is kept then. */
export function ask(org: Org, thread: string, wish: Wish, signal: AbortSignal) {
  return streamOf(
    org.api.POST("/api/v1/threads/{id}/messages", {
      params: { path: { id: thread } },
      body: wish,
      headers: { accept: "text/event-stream" },
      parseAs: "stream",
      signal,
    }),
  );
}
