import { answer, type Schemas } from "@/lib/api/client";
import { PAGE, usePages } from "@/lib/api/paging";
import { useOrg } from "@/lib/org";

export type ProjectTeam = Schemas["ProjectTeam"];

/** The teams that were put into a project. */
export function useProjectTeams(id: string) {
  const org = useOrg();
  return usePages<ProjectTeam>([org.id, "projects", "one", id, "teams"], (cursor, signal) =>
    answer(
      org.api.GET("/api/v1/projects/{id}/teams", {
        params: { path: { id }, query: { cursor, limit: PAGE } },
        signal,
      }),
    ),
  );
}
