import { deed } from "@/lib/api/deed";

/** Archives a project: nothing in it changes any more. */
export const useArchiveProject = deed(
  (api, id: string) => api.PUT("/api/v1/projects/{id}/archive", { params: { path: { id } } }),
  ["projects"],
);
