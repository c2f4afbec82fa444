import type { Key } from "./api/list-keys";

export type KeyState = "active" | "ending" | "revoked" | "expired";

/** What a key is good for at a moment. A rotated key has its end before it: it lives for its time of grace. */
export function stateOf(key: Pick<Key, "revoked_at" | "expires_at">, now: number): KeyState {
  if (key.revoked_at && new Date(key.revoked_at).getTime() <= now) return "revoked";
  if (key.expires_at && new Date(key.expires_at).getTime() <= now) return "expired";
  return key.revoked_at ? "ending" : "active";
}
