import { deed } from "@/lib/api/deed";

/** Takes a project out of the archive. */
export const useRestoreProject = deed(
  (api, id: string) => api.DELETE("/api/v1/projects/{id}/archive", { params: { path: { id } } }),
  ["projects"],
);
