import { useQuery } from "@tanstack/react-query";
import type { Schemas } from "@/lib/api/client";
import { versioned } from "@/lib/api/deed";
import { useOrg } from "@/lib/org";

export type Organisation = Schemas["Organization"];

/** The organisation of this page, with its version. */
export function useOrganisation() {
  const org = useOrg();
  return useQuery({
    queryKey: [org.id, "orgs", "this"],
    queryFn: ({ signal }) =>
      versioned(org.api.GET("/api/v1/orgs/{org_id}", { params: { path: { org_id: org.id } }, signal })),
    enabled: org.can("org.read"),
  });
}
