import { deed } from "@/lib/api/deed";

/** Gives somebody a role in a project. */
export const usePutProjectMember = deed(
  (api, { id, user_id, role }: { id: string; user_id: string; role: string }) =>
    api.PUT("/api/v1/projects/{id}/members/{user_id}", { params: { path: { id, user_id } }, body: { role } }),
  ["projects", "members", "me"],
  { quiet: true },
);
