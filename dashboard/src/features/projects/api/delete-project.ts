import { deed } from "@/lib/api/deed";

/** Deletes an archived project; its name says that it is meant. */
export const useDeleteProject = deed(
  (api, { id, name }: { id: string; name: string }) =>
    api.DELETE("/api/v1/projects/{id}", { params: { path: { id }, query: { confirm: name } } }),
  ["projects", "keys", "collections"],
  { deletes: ({ id }) => id },
);
