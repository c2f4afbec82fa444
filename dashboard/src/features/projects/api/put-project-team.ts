import { deed } from "@/lib/api/deed";

/** Gives a team a role in a project. */
export const usePutProjectTeam = deed(
  (api, { id, team_id, role }: { id: string; team_id: string; role: string }) =>
    api.PUT("/api/v1/projects/{id}/teams/{team_id}", { params: { path: { id, team_id } }, body: { role } }),
  ["projects", "members", "me"],
  { quiet: true },
);
