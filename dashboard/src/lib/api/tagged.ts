/** Things that are edited: what was read, with the tag that says which version it was, so that nobody overwrites what they never saw. */
import { answer } from "@/lib/api/client";

/** A thing with its version. */
export interface Tagged<T> {
  thing: T;
  /** For `If-Match`. */
  tag: string | undefined;
}

/** The answer of a call with its tag. */
export async function tagged<T>(call: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<Tagged<T>> {
  const { response } = await call;
  return { thing: await answer(call), tag: response.headers.get("etag") ?? undefined };
}
