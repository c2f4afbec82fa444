/**
 * Links in mails bring a secret in their address. It is taken out before anything else happens, so that it stands neither in the browser's
 * history nor in what a page shows, and it is kept in memory alone.
 */
let token: string | undefined;

/** Takes the secret out of the address, if there is one. Called once, before the first page. */
export function takeMailedToken() {
  const url = new URL(window.location.href);
  const found = url.searchParams.get("token") ?? new URLSearchParams(url.hash.slice(1)).get("token");
  if (!found) return;
  token = found;
  url.searchParams.delete("token");
  url.hash = "";
  window.history.replaceState(null, "", url);
}

/** The secret that the link brought. */
export function mailedToken(): string | undefined {
  return token;
}

/** Forgets it, when it has been used. */
export function forgetMailedToken() {
  token = undefined;
}
