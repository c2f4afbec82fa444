import { deed } from "@/lib/api/deed";

/** Closes the organisation; its name says that it is meant. */
export const useCloseOrg = deed(
  (api, name: string, org) =>
    api.DELETE("/api/v1/orgs/{org_id}", { params: { path: { org_id: org.id }, query: { confirm: name } } }),
  ["orgs", "me"],
);
