import { deed } from "@/lib/api/deed";

/** Ends the own stay in the organisation. */
export const useLeaveOrg = deed(
  (api, _: undefined, org) => api.POST("/api/v1/orgs/{org_id}/leave", { params: { path: { org_id: org.id } } }),
  [],
);
