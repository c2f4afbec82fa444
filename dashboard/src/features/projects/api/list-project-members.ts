import { answer, type Schemas } from "@/lib/api/client";
import { PAGE, usePages } from "@/lib/api/paging";
import { useOrg } from "@/lib/org";

export type ProjectMember = Schemas["ProjectMember"];

/** Who was put into a project. */
export function useProjectMembers(id: string) {
  const org = useOrg();
  return usePages<ProjectMember>([org.id, "projects", "one", id, "members"], (cursor, signal) =>
    answer(
      org.api.GET("/api/v1/projects/{id}/members", {
        params: { path: { id }, query: { cursor, limit: PAGE } },
        signal,
      }),
    ),
  );
}
