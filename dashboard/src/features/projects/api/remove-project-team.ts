import { deed } from "@/lib/api/deed";

/** Takes a team out of a project. */
export const useRemoveProjectTeam = deed(
  (api, { id, team_id }: { id: string; team_id: string }) =>
    api.DELETE("/api/v1/projects/{id}/teams/{team_id}", { params: { path: { id, team_id } } }),
  ["projects", "members", "me"],
);
