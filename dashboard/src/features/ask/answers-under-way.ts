/**
 * Answers that are on their way, one a conversation. They live beside the pages: whoever looks at another page meanwhile finds the answer
 * when they come back. Only stopping one, or closing the tab, ends it.
 */
import type { QueryClient } from "@tanstack/react-query";
import { useSyncExternalStore } from "react";
import { type ApiError, refusal, unreachable } from "@/lib/api/error";
import { eventsOf } from "@/lib/api/event-stream";
import type { Org } from "@/lib/org";
import { ask, type Wish } from "./api/ask";
import { type Message, messagesKey } from "./api/list-messages";
import { threadsKey } from "./api/list-threads";

export interface UnderWay {
  wish: Wish;
  step: "searching" | "reading" | "writing" | "stopped" | "failed";
  /** How many passages were found. */
  passages: number;
  /** What has come so far; it is not checked yet. */
  text: string;
  error?: ApiError | Error;
}

const answers = new Map<string, UnderWay & { stop: () => void }>();
const listeners = new Set<() => void>();

function put(thread: string, change: Partial<UnderWay>) {
  const before = answers.get(thread);
  if (!before) return;
  answers.set(thread, { ...before, ...change });
  for (const listener of listeners) listener();
}

function drop(thread: string) {
  answers.delete(thread);
  for (const listener of listeners) listener();
}

/** The answer that is on its way in a conversation. */
export function useUnderWay(thread: string): UnderWay | undefined {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => answers.get(thread),
  );
}

/** Goes away from an answer: the server stops, and keeps nothing. */
export function stopAnswer(thread: string) {
  answers.get(thread)?.stop();
}

/** Forgets one that was stopped, or failed. */
export function forgetAnswer(thread: string) {
  drop(thread);
}

/** Asks; what comes shows in the conversation. */
export async function beginAnswer(org: Org, queries: QueryClient, thread: string, wish: Wish) {
  const control = new AbortController();
  answers.set(thread, { wish, step: "searching", passages: 0, text: "", stop: () => control.abort() });
  put(thread, {});
  try {
    const answered = await follow(org, thread, wish, control.signal);
    const key = messagesKey(org, thread);
    // What was said is read anew: the question has an id now, too.
    await queries.fetchQuery({ queryKey: key, staleTime: 0 }).catch(() => queries.invalidateQueries({ queryKey: key }));
    if (!queries.getQueryData<Message[]>(key)?.some(({ id }) => id === answered.id)) {
      await queries.invalidateQueries({ queryKey: key });
    }
    drop(thread);
    await queries.invalidateQueries({ queryKey: threadsKey(org), exact: false });
  } catch (error) {
    if (control.signal.aborted) put(thread, { step: "stopped" });
    else put(thread, { step: "failed", error: error instanceof Error ? error : unreachable(error) });
  }
}

async function follow(org: Org, thread: string, wish: Wish, signal: AbortSignal): Promise<Message> {
  let text = "";
  for await (const { event, data } of eventsOf(await ask(org, thread, wish, signal))) {
    switch (event) {
      case "found":
        put(thread, { step: "reading", passages: (data as { passages: number }).passages });
        break;
      case "delta":
        text += (data as { content: string }).content;
        put(thread, { step: "writing", text });
        break;
      case "message":
        return data as Message;
      case "error":
        throw refusal(new Response(null, { status: 500 }), data);
    }
  }
  throw unreachable(new Error("the stream ended before the answer"));
}
