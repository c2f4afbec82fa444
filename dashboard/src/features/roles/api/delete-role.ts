import { deed } from "@/lib/api/deed";

/** Deletes a custom role that nobody holds. */
export const useDeleteRole = deed(
  (api, id: string) => api.DELETE("/api/v1/roles/{id}", { params: { path: { id } } }),
  ["roles"],
);
