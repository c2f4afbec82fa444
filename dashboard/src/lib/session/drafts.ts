/** What somebody typed and did not send, in this tab's storage: it outlives a session that ends by itself, and goes with whoever signs out. */

const PREFIX = "rowhouse.draft:";
/** A draft that is larger is not kept; forms are no store. */
const MOST = 64 * 1024;

/** What is kept under a name; `null` when nothing is. */
export function keptDraft(name: string): unknown {
  try {
    return JSON.parse(window.sessionStorage.getItem(PREFIX + name) ?? "null");
  } catch {
    return null;
  }
}

/** Keeps a draft under a name; nothing, when it is `undefined`. */
export function keepDraft(name: string, draft: unknown) {
  try {
    const text = draft === undefined ? undefined : JSON.stringify(draft);
    if (text === undefined || text.length > MOST) window.sessionStorage.removeItem(PREFIX + name);
    else window.sessionStorage.setItem(PREFIX + name, text);
  } catch {
    // A draft is a convenience: without storage there is none.
  }
}

/** Forgets all of them. */
export function forgetDrafts() {
  try {
    for (const key of Object.keys(window.sessionStorage)) {
      if (key.startsWith(PREFIX)) window.sessionStorage.removeItem(key);
    }
  } catch {
    // There is no storage, so there is nothing in it.
  }
}
