import { deed } from "@/lib/api/deed";

/** Hands the organisation to another member. */
export const useTransferOrg = deed(
  (api, user_id: string, org) =>
    api.POST("/api/v1/orgs/{org_id}/transfer", { params: { path: { org_id: org.id } }, body: { user_id } }),
  ["orgs", "me", "members"],
  { quiet: true },
);
