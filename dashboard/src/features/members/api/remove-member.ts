import { deed } from "@/lib/api/deed";

/** Ends somebody's stay; their sessions and keys here end with it. */
export const useRemoveMember = deed(
  (api, id: string) => api.DELETE("/api/v1/members/{user_id}", { params: { path: { user_id: id } } }),
  ["members", "teams", "projects"],
);
