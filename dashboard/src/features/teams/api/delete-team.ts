import { deed } from "@/lib/api/deed";

/** Deletes a team that has none below it. */
export const useDeleteTeam = deed(
  (api, id: string) => api.DELETE("/api/v1/teams/{id}", { params: { path: { id } } }),
  ["teams", "projects", "members"],
  { deletes: (id) => id },
);
