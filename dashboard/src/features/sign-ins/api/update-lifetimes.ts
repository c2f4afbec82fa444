import type { Schemas } from "@/lib/api/client";
import { deed, ifMatch } from "@/lib/api/deed";

/** Sets how long sign-ins count, in seconds; `null` takes a limit away. */
export const useUpdateLifetimes = deed(
  (api, { etag, ...body }: { etag: string | undefined } & Schemas["UpdateLifetimes"], org) =>
    api.PATCH("/api/v1/orgs/{org_id}/lifetimes", { params: { path: { org_id: org.id }, header: ifMatch(etag) }, body }),
  ["orgs"],
  { quiet: true },
);
