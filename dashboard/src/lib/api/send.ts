/** The one way in which the dashboard calls the API. */
import { current, recheck } from "@/lib/session/session";
import { askForFactor } from "@/lib/session/step-up";
import { type ApiError, refusal, unreachable } from "./error";

const SAFE = new Set(["GET", "HEAD"]);
/** Where a session begins and is ended: that nobody is signed in is no news there. */
const SESSION = "/api/v1/auth/session";

/** What happens when a session has ended for good; set where the pages are known. */
let onExpired: () => void = () => {};

export function whenExpired(act: () => void) {
  onExpired = act;
}

/**
 * Sends a request with what the session owes. A refusal for want of a session is followed by one look whether there is one again
 * (another tab may have signed in); one for want of a fresh factor by the question for it. Each is tried again once. A POST whose
 * answer was lost is sent again under the same `Idempotency-Key`, so it takes effect once.
 */
export async function send(request: Request): Promise<Response> {
  if (request.method === "POST" && !request.headers.has("idempotency-key")) {
    request.headers.set("idempotency-key", randomKey());
  }
  const first = await attempt(request);
  if (first.ok || (first.status !== 401 && first.status !== 403)) return first;
  const body: unknown = await first
    .clone()
    .json()
    .catch(() => null);
  const error = refusal(first, body);
  if (error.code === "unauthenticated" && new URL(request.url).pathname === SESSION) return first;
  if (!(await mended(error))) return first;
  return attempt(request);
}

/** Whether what stood against a request is out of the way now. */
async function mended(error: ApiError): Promise<boolean> {
  switch (error.code) {
    case "csrf":
    case "unauthenticated": {
      const before = current()?.csrf_token;
      const session = await recheck();
      if (!session) {
        onExpired();
        return false;
      }
      // The same session was refused a moment ago, and would be again.
      return session.csrf_token !== before || error.code === "unauthenticated";
    }
    case "step_up_needed":
    case "session_too_old_for_organisation":
      return askForFactor();
    default:
      return false;
  }
}

async function attempt(request: Request): Promise<Response> {
  const once = async () => {
    const copy = request.clone();
    const token = current()?.csrf_token;
    if (token && !SAFE.has(copy.method)) copy.headers.set("x-rowhouse-csrf", token);
    return fetch(copy);
  };
  try {
    return await once();
  } catch (cause) {
    if (request.signal.aborted) throw cause;
    if (request.method !== "POST") throw unreachable(cause);
    try {
      return await once();
    } catch (again) {
      if (request.signal.aborted) throw again;
      throw unreachable(again);
    }
  }
}

function randomKey(): string {
  // `crypto.randomUUID` is not there on pages without TLS.
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
