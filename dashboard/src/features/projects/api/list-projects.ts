import { answer, type Schemas } from "@/lib/api/client";
import { PAGE, usePages } from "@/lib/api/paging";
import { useOrg } from "@/lib/org";

export type Project = Schemas["Project"];

/** The projects that one can see: those that go on, or the archived ones. */
export function useProjectPages(archived: boolean) {
  const org = useOrg();
  return usePages<Project>([org.id, "projects", "list", { archived }], (cursor, signal) =>
    answer(org.api.GET("/api/v1/projects", { params: { query: { cursor, limit: PAGE, archived } }, signal })),
  );
}
