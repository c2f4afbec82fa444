import type { Schemas } from "@/lib/api/client";
import { deed, ifMatch } from "@/lib/api/deed";

/** Changes a custom role, for all who hold it and at once; refused when somebody else was faster. */
export const useUpdateRole = deed(
  (api, { id, etag, ...body }: { id: string; etag: string | undefined } & Schemas["UpdateRole"]) =>
    api.PATCH("/api/v1/roles/{id}", { params: { path: { id }, header: ifMatch(etag) }, body }),
  ["roles", "me", "members"],
  { quiet: true },
);
