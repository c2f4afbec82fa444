/** Where to go after signing in. An address that leads out of the dashboard is none. */
export function safeNext(next: string | undefined): string {
  if (!next) return "/";
  try {
    const url = new URL(next, window.location.origin);
    const inside =
      url.origin === window.location.origin && next.startsWith("/") && !/^\/(login|signup|api|v1)\b/.test(url.pathname);
    return inside ? `${url.pathname}${url.search}${url.hash}` : "/";
  } catch {
    return "/";
  }
}
