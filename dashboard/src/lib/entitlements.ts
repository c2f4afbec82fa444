/** What an organisation's plan lets it have. */
import { useQuery } from "@tanstack/react-query";
import { answer } from "@/lib/api/client";
import { useOrg } from "@/lib/org";

/** What the plan includes, and how much of it is taken. */
export function useEntitlements() {
  const org = useOrg();
  return useQuery({
    queryKey: [org.id, "entitlements"],
    queryFn: ({ signal }) =>
      answer(org.api.GET("/api/v1/orgs/{org_id}/entitlements", { params: { path: { org_id: org.id } }, signal })),
    enabled: org.can("org.read"),
    staleTime: 60_000,
  });
}
