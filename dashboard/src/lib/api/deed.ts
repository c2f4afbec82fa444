/** A change that the API makes, as a hook: what is sent, and what is stale after it. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type Org, useOrg } from "@/lib/org";
import { type Api, answer } from "./client";
import { isLeft, leaving } from "./leaving";

type Call<T> = Promise<{ data?: T; error?: unknown; response: Response }>;

/**
 * Makes the hook of a change. `nouns` names what is stale after it: the second part of query keys. Whoever sends it `quiet` shows its error
 * themselves; otherwise a toast does. `deletes` gives the id of what is gone after it and has a page of its own.
 */
export function deed<V, T>(
  call: (api: Api, given: V, org: Org) => Call<T>,
  nouns: readonly string[],
  how: { quiet?: boolean; deletes?: (given: V) => string } = {},
) {
  // biome-ignore lint/correctness/noComponentHookFactories: called where a module begins, once for each change
  return function useDeed() {
    const org = useOrg();
    const queries = useQueryClient();
    return useMutation({
      mutationFn: (given: V) => {
        const done = () => answer(call(org.api, given, org));
        return how.deletes ? leaving(how.deletes(given), done) : done();
      },
      onSuccess: () =>
        Promise.all(
          nouns.map((noun) =>
            queries.invalidateQueries({ queryKey: [org.id, noun], predicate: ({ queryKey }) => !isLeft(queryKey) }),
          ),
        ),
      meta: { quiet: how.quiet ?? false },
      // An answer may hold what is shown once: it leaves memory with who shows it.
      gcTime: 0,
    });
  };
}

/** An answer with the version it was read at, for `If-Match`: nobody overwrites what somebody else has just changed. */
export interface Versioned<T> {
  value: T;
  etag: string | undefined;
}

/** The answer of a call with its version. */
export async function versioned<T>(call: Call<T>): Promise<Versioned<T>> {
  const { response } = await call;
  return { value: await answer(call), etag: response.headers.get("etag") ?? undefined };
}

/** The header that lets a change through only when nobody was faster. */
export function ifMatch(etag: string | undefined): { "If-Match"?: string } {
  return etag === undefined ? {} : { "If-Match": etag };
}
