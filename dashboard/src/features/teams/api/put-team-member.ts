import { deed } from "@/lib/api/deed";

/** Gives somebody a role in a team: puts them in, or changes what they are there. */
export const usePutTeamMember = deed(
  (api, { id, user_id, role }: { id: string; user_id: string; role: string }) =>
    api.PUT("/api/v1/teams/{id}/members/{user_id}", { params: { path: { id, user_id } }, body: { role } }),
  ["teams", "members", "projects", "me"],
  { quiet: true },
);
