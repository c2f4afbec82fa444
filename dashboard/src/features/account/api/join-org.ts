import { deed } from "@/lib/api/deed";

/** Joins an organisation by the own mail address. */
export const useJoinOrg = deed(
  (api, org_id: string) => api.POST("/api/v1/mail-domains/join", { body: { org_id } }),
  ["user"],
);
