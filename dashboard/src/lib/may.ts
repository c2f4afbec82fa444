/** What the person may do at one team or project: somebody may hold more there than in the whole organisation. */
import { useQueries } from "@tanstack/react-query";
import { answer, type Permission } from "@/lib/api/client";
import { useOrg } from "@/lib/org";

export type Place = { team_id: string } | { project_id: string };

/**
 * Asks the API where the organisation's rights do not settle it. Until the answer is there nothing is allowed, so that no button appears
 * that would be refused.
 */
export function useMayAt(
  place: Place | undefined,
  permissions: readonly Permission[],
): (permission: Permission) => boolean {
  const org = useOrg();
  const open = permissions.filter((permission) => !org.can(permission));
  const answers = useQueries({
    queries: open.map((permission) => ({
      queryKey: [org.id, "me", "may", permission, place],
      queryFn: ({ signal }: { signal: AbortSignal }) =>
        answer(org.api.GET("/api/v1/access/explain", { params: { query: { permission, ...place } }, signal })),
      enabled: place !== undefined,
      staleTime: 30_000,
    })),
  });
  return (permission) => {
    if (org.can(permission)) return true;
    return answers[open.indexOf(permission)]?.data?.allowed ?? false;
  };
}
