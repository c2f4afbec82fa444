import { useQuery } from "@tanstack/react-query";
import { answer, type Schemas } from "@/lib/api/client";
import { useOrg } from "@/lib/org";

/** How many rows each source gives. */
const EACH = 10;

/** The last calls and what they cost: everybody's, or one's own. */
export function useLastUse() {
  const org = useOrg();
  return useQuery({
    queryKey: [org.id, "usage", "last"],
    queryFn: async ({ signal }) => {
      const page = await answer(org.api.GET("/api/v1/usage/logs", { params: { query: { limit: EACH } }, signal }));
      return page as Schemas["Page_for_UsageRow"];
    },
    enabled: org.canSomewhere("usage.read"),
  });
}

/** The last changes, for those who may read the audit log. */
export function useLastChanges() {
  const org = useOrg();
  return useQuery({
    queryKey: [org.id, "audit", "last"],
    queryFn: ({ signal }) => answer(org.api.GET("/api/v1/audit", { params: { query: { limit: EACH * 3 } }, signal })),
    enabled: org.can("audit.read"),
  });
}
