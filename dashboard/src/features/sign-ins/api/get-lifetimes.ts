import { useQuery } from "@tanstack/react-query";
import { versioned } from "@/lib/api/deed";
import { useOrg } from "@/lib/org";

/** How long sign-ins count in the organisation, with the version. */
export function useLifetimes() {
  const org = useOrg();
  return useQuery({
    queryKey: [org.id, "orgs", "lifetimes"],
    queryFn: ({ signal }) =>
      versioned(org.api.GET("/api/v1/orgs/{org_id}/lifetimes", { params: { path: { org_id: org.id } }, signal })),
  });
}
