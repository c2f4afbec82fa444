/** Keeps what is shown as it is: what somebody else changes is read anew within a second. */
import { useQueryClient } from "@tanstack/react-query";
import { isLeft } from "@/lib/api/leaving";
import { useLive } from "@/lib/live";
import { useOrg } from "@/lib/org";

/** What a noun of the stream is known under here, where that is not the noun itself, or not it alone. */
const KNOWN_AS: Readonly<Record<string, readonly string[]>> = {
  "api-keys": ["api-keys", "keys"],
  collections: ["collections", "documents", "jobs", "sources"],
  models: ["models", "providers", "aliases"],
  members: ["members", "me"],
  roles: ["roles", "permissions", "me"],
  teams: ["teams", "me"],
  projects: ["projects", "me"],
  orgs: ["orgs", "me", "entitlements", "lifetimes", "knowledge"],
  user: ["user", "me"],
  audit: ["audit", "activity"],
};

export function Live() {
  const org = useOrg();
  const queries = useQueryClient();
  useLive("/api/v1/events", ({ event, data }) => {
    if (event === "missed") {
      void queries.invalidateQueries({ queryKey: [org.id], predicate: ({ queryKey }) => !isLeft(queryKey) });
      return;
    }
    if (event !== "changed") return;
    const { changed } = data as { changed: string[] };
    const nouns = new Set(changed.flatMap((noun) => KNOWN_AS[noun] ?? [noun]));
    void queries.invalidateQueries({
      predicate: ({ queryKey }) => {
        const [of, noun] = queryKey;
        return of === org.id && typeof noun === "string" && nouns.has(noun) && !isLeft(queryKey);
      },
    });
  });
  return null;
}
