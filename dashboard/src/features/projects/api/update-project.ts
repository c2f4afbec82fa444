import type { Schemas } from "@/lib/api/client";
import { deed, ifMatch } from "@/lib/api/deed";

/** Changes a project, if it still is as it was read. */
export const useUpdateProject = deed(
  (api, { id, etag, ...body }: { id: string; etag: string | undefined } & Schemas["UpdateProject"]) =>
    api.PATCH("/api/v1/projects/{id}", { params: { path: { id }, header: ifMatch(etag) }, body }),
  ["projects"],
  { quiet: true },
);
