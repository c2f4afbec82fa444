/**
 * Streams of server-sent events. `EventSource` cannot say which organisation it means, so they are read by `fetch`. A stream is open while
 * its tab is seen; what was missed in between is told as one event, `missed`.
 */
import { useEffect, useEffectEvent } from "react";
import { send } from "@/lib/api/send";
import { useOrg } from "@/lib/org";

/** An event as it came: its name, and its data as text. */
export interface LiveEvent {
  name: string;
  data: string;
}

/** Milliseconds before a stream that ended is opened again; twice as long after each try in vain, up to the last. */
const FIRST_PAUSE = 1_000;
const LAST_PAUSE = 30_000;
/** A stream that said nothing for so long is dead: the server speaks every 15 seconds. */
const SILENCE = 40_000;

/** Takes the whole events out of a text, and gives back what is left of it. */
export function takeEvents(text: string, tell: (event: LiveEvent) => void): string {
  const blocks = text.replaceAll("\r\n", "\n").split("\n\n");
  const rest = blocks.pop() ?? "";
  for (const block of blocks) {
    let name = "message";
    const data: string[] = [];
    for (const line of block.split("\n")) {
      if (line.startsWith("event:")) name = line.slice(6).trim();
      else if (line.startsWith("data:")) data.push(line.slice(5).trimStart());
    }
    if (data.length > 0) tell({ name, data: data.join("\n") });
  }
  return rest;
}

/** Listens to a stream of the organisation, a path with its query; to nothing when there is no path. */
export function useLive(path: string | undefined, hear: (event: LiveEvent) => void) {
  const { id } = useOrg();
  const told = useEffectEvent(hear);
  useEffect(() => {
    if (path === undefined) return;
    let stop: AbortController | undefined;
    const follow = () => {
      if (document.visibilityState === "hidden") {
        stop?.abort();
        stop = undefined;
      } else if (!stop) {
        stop = new AbortController();
        void listen(path, id, told, stop.signal);
      }
    };
    follow();
    document.addEventListener("visibilitychange", follow);
    return () => {
      document.removeEventListener("visibilitychange", follow);
      stop?.abort();
    };
  }, [path, id]);
}

/** The first stream of each path tells of nothing missed: what is on the page was read a moment ago. */
const heard = new Set<string>();

async function listen(path: string, org: string, tell: (event: LiveEvent) => void, signal: AbortSignal) {
  let pause = FIRST_PAUSE;
  while (!signal.aborted) {
    try {
      const response = await send(
        new Request(new URL(path, window.location.origin), {
          headers: { accept: "text/event-stream", "x-rowhouse-org": org },
          credentials: "same-origin",
          signal,
        }),
      );
      // What is not there or not theirs will not be there in a second.
      if (response.status === 404 || response.status === 403 || response.status === 401) return;
      if (response.ok && response.body) {
        pause = FIRST_PAUSE;
        const place = `${org} ${path}`;
        if (heard.has(place)) tell({ name: "missed", data: "{}" });
        heard.add(place);
        await read(response.body, tell);
      }
    } catch {
      // The line broke, or the tab was left.
    }
    await rest(pause, signal);
    pause = Math.min(pause * 2, LAST_PAUSE);
  }
}

async function read(body: ReadableStream<Uint8Array>, tell: (event: LiveEvent) => void) {
  const reader = body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader();
  let text = "";
  for (;;) {
    const silent = window.setTimeout(() => void reader.cancel(), SILENCE);
    const { done, value } = await reader.read().finally(() => window.clearTimeout(silent));
    if (done) return;
    text = takeEvents(text + value, tell);
  }
}

function rest(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = window.setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => {
      window.clearTimeout(timer);
      resolve();
    });
  });
}
