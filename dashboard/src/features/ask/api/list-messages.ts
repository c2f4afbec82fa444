import { useQuery } from "@tanstack/react-query";
import { answer, type Schemas } from "@/lib/api/client";
import { type Org, useOrg } from "@/lib/org";
import { threadsKey } from "./list-threads";

export type Message = Schemas["Message"];
export type Citation = Schemas["Citation"];

const limit = 200;
/** A conversation of more than 2,000 turns is read as far as this. */
const PAGES = 10;

export function messagesKey(org: Org, thread: string) {
  return [...threadsKey(org), thread, "messages"] as const;
}

/** All that was said in a conversation, in order. */
export function useMessages(thread: string) {
  const org = useOrg();
  return useQuery({
    queryKey: messagesKey(org, thread),
    queryFn: async ({ signal }) => {
      const all: Message[] = [];
      let cursor: string | undefined;
      for (let page = 0; page < PAGES; page += 1) {
        const params = { path: { id: thread }, query: { limit, cursor } };
        const got = await answer(org.api.GET("/api/v1/threads/{id}/messages", { params, signal }));
        all.push(...got.data);
        cursor = got.next_cursor ?? undefined;
        if (!cursor) break;
      }
      return all;
    },
  });
}

/** What an answer took, as far as it says so. */
export function usageOf(message: Message): { cost: number; model: string | undefined } {
  const usage = (message.usage ?? {}) as { cost_micros?: number | null; model?: string | null };
  return { cost: usage.cost_micros ?? 0, model: usage.model ?? undefined };
}
