import type { Schemas } from "@/lib/api/client";
import { deed, ifMatch } from "@/lib/api/deed";

/** Changes the own name, if it still is as it was read. */
export const useUpdateProfile = deed(
  (api, { etag, ...body }: { etag: string | undefined } & Schemas["UpdateProfile"]) =>
    api.PATCH("/api/v1/user/profile", { params: { header: ifMatch(etag) }, body }),
  ["user", "me", "members"],
  { quiet: true },
);
