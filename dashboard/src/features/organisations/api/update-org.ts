import type { Schemas } from "@/lib/api/client";
import { deed, ifMatch } from "@/lib/api/deed";

/** Changes the organisation's name or time zone, if it still is as it was read. */
export const useUpdateOrg = deed(
  (api, { etag, ...body }: { etag: string | undefined } & Schemas["UpdateOrg"], org) =>
    api.PATCH("/api/v1/orgs/{org_id}", { params: { path: { org_id: org.id }, header: ifMatch(etag) }, body }),
  ["orgs", "me"],
  { quiet: true },
);
