/**
 * Streams of server-sent events. `EventSource` cannot say which organisation it means, so they are read by `fetch`. A stream is open while
 * its tab is seen; what was missed in between is told as one event, `missed`.
 */
import { useEffect, useEffectEvent } from "react";
import { eventsOf, type StreamEvent } from "@/lib/api/event-stream";
import { send } from "@/lib/api/send";
import { useOrg } from "@/lib/org";

/** Milliseconds before a stream that ended is opened again; twice as long after each try in vain, up to the last. */
const FIRST_PAUSE = 1_000;
const LAST_PAUSE = 30_000;
/** A stream that said nothing for so long is dead: the server speaks every 15 seconds. */
const SILENCE = 40_000;

/**
 * Listens to a stream of the organisation, a path with its query; to nothing when there is no path. Each time that it is open, and before it
 * tells anything, `opened` is called.
 */
export function useLive(path: string | undefined, hear: (event: StreamEvent) => void, opened: () => void = () => {}) {
  const { id } = useOrg();
  const told = useEffectEvent(hear);
  const begun = useEffectEvent(opened);
  useEffect(() => {
    if (path === undefined) return;
    let stop: AbortController | undefined;
    const follow = () => {
      if (document.visibilityState === "hidden") {
        stop?.abort();
        stop = undefined;
      } else if (!stop) {
        stop = new AbortController();
        void listen(path, id, told, begun, stop.signal);
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

async function listen(
  path: string,
  org: string,
  tell: (event: StreamEvent) => void,
  begun: () => void,
  signal: AbortSignal,
) {
  let pause = FIRST_PAUSE;
  while (!signal.aborted) {
    // One for each try: a stream that went silent is left without leaving the next.
    const broken = new AbortController();
    const leave = () => broken.abort();
    signal.addEventListener("abort", leave);
    try {
      const response = await send(
        new Request(new URL(path, window.location.origin), {
          headers: { accept: "text/event-stream", "x-rowhouse-org": org },
          credentials: "same-origin",
          signal: broken.signal,
        }),
      );
      // What is not there or not theirs will not be there in a second.
      if (response.status === 404 || response.status === 403 || response.status === 401) return;
      if (response.ok && response.body) {
        pause = FIRST_PAUSE;
        begun();
        const place = `${org} ${path}`;
        if (heard.has(place)) tell({ event: "missed", data: {} });
        heard.add(place);
        await read(response.body, tell, broken);
      }
    } catch {
      // The line broke, or the tab was left.
    } finally {
      signal.removeEventListener("abort", leave);
    }
    await rest(pause, signal);
    pause = Math.min(pause * 2, LAST_PAUSE);
  }
}

async function read(body: ReadableStream<Uint8Array>, tell: (event: StreamEvent) => void, broken: AbortController) {
  // Signs of life are no events, so the bytes are watched themselves.
  let silent = window.setTimeout(() => broken.abort(), SILENCE);
  const watched = body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform: (bytes, onward) => {
        window.clearTimeout(silent);
        silent = window.setTimeout(() => broken.abort(), SILENCE);
        onward.enqueue(bytes);
      },
    }),
  );
  try {
    for await (const event of eventsOf(watched)) tell(event);
  } finally {
    window.clearTimeout(silent);
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
