import { deed } from "@/lib/api/deed";

/** Undoes the closing of the organisation. */
export const useRestoreOrg = deed(
  (api, _: undefined, org) => api.POST("/api/v1/orgs/{org_id}/restore", { params: { path: { org_id: org.id } } }),
  ["orgs", "me"],
);
