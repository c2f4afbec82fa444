import { deed } from "@/lib/api/deed";

/**
 * Deletes an archived project; its name says that it is meant. What is known of projects is forgotten by the page, once it has left what is gone.
 */
export const useDeleteProject = deed(
  (api, { id, name }: { id: string; name: string }) =>
    api.DELETE("/api/v1/projects/{id}", { params: { path: { id }, query: { confirm: name } } }),
  ["keys", "collections"],
);
