import { deed } from "@/lib/api/deed";

/** Takes somebody out of a project. */
export const useRemoveProjectMember = deed(
  (api, { id, user_id }: { id: string; user_id: string }) =>
    api.DELETE("/api/v1/projects/{id}/members/{user_id}", { params: { path: { id, user_id } } }),
  ["projects", "members", "me"],
);
