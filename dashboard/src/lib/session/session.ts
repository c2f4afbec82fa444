/**
 * Who is signed in, as this tab knows it. The session itself is a cookie that no script can read; what is kept here is kept in
 * memory only: the person, and the token that goes with each change.
 */
import { useSyncExternalStore } from "react";
import type { components } from "@/lib/api/schema";
import { forgetDrafts } from "./drafts";

export type SignedIn = components["schemas"]["BrowserSession"];
/** `undefined`: nobody has asked yet; `null`: nobody is signed in. */
type State = SignedIn | null | undefined;

/** Notes in the browser that somebody signed in here, so that a stranger's first page asks for no session. No more than that one word. */
const HINT = "rowhouse.signed-in";
let state: State;
let asking: Promise<SignedIn | null> | undefined;
const listeners = new Set<() => void>();
/** Tells the other tabs that somebody signed out. */
const channel = typeof BroadcastChannel === "undefined" ? undefined : new BroadcastChannel("rowhouse-session");

function become(next: State) {
  state = next;
  hint(next != null);
  for (const listener of listeners) listener();
}

/** Whether there may be a session; where nothing can be kept there always may. */
function hinted(): boolean {
  try {
    return window.localStorage.getItem(HINT) !== null;
  } catch {
    return true;
  }
}

function hint(signedIn: boolean) {
  try {
    if (signedIn) window.localStorage.setItem(HINT, "yes");
    else window.localStorage.removeItem(HINT);
  } catch {
    // Then each first page asks.
  }
}

/** The session as far as it is known. */
export function current(): State {
  return state;
}

/** The session, asking the server once if nobody has yet. */
export async function ensure(): Promise<SignedIn | null> {
  if (state !== undefined) return state;
  if (hinted()) return recheck();
  become(null);
  return null;
}

/**
 * Asks the server anew who is signed in; many who ask at the same time ask once. When it is another person than this tab was opened
 * by, the tab begins anew: nothing of one person may be shown to, or sent as, another.
 */
export function recheck(): Promise<SignedIn | null> {
  asking ??= ask().finally(() => {
    asking = undefined;
  });
  return asking;
}

async function ask(): Promise<SignedIn | null> {
  const response = await fetch("/api/v1/auth/session", { credentials: "same-origin", cache: "no-store" });
  if (response.ok) {
    const found = (await response.json()) as SignedIn;
    if (state && state.user.id !== found.user.id) {
      window.location.reload();
      return new Promise(() => {});
    }
    become(found);
    return found;
  }
  // Anything but "nobody" is trouble on the way, which ends no session.
  if (response.status !== 401 && response.status !== 404)
    throw new Error(`The session cannot be read (${response.status}).`);
  become(null);
  return null;
}

/** Notes that somebody has signed in here. */
export function began(session: SignedIn) {
  become(session);
}

/** Leaves nothing of the person behind, in this tab and in the others. */
export function ended() {
  forgetDrafts();
  become(null);
  channel?.postMessage("ended");
}

channel?.addEventListener("message", () => {
  forgetDrafts();
  if (state) window.location.assign("/login");
});

/** The session, for components. */
export function useSession(): SignedIn | null {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => state ?? null,
  );
}
