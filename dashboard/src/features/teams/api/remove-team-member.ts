import { deed } from "@/lib/api/deed";

/** Takes somebody out of a team; they stay in the organisation. */
export const useRemoveTeamMember = deed(
  (api, { id, user_id }: { id: string; user_id: string }) =>
    api.DELETE("/api/v1/teams/{id}/members/{user_id}", { params: { path: { id, user_id } } }),
  ["teams", "members", "projects", "me"],
);
