import { useQuery } from "@tanstack/react-query";
import { answer, type Schemas } from "@/lib/api/client";
import { useOrg } from "@/lib/org";
import { useProject } from "@/lib/project";

export type Model = Schemas["Model"];

/** The models and names that the person can use, in the project that is chosen; all on one page. */
export function useModels() {
  const org = useOrg();
  const project_id = useProject();
  return useQuery({
    queryKey: [org.id, "models", project_id ?? null],
    queryFn: ({ signal }) => answer(org.api.GET("/api/v1/models", { params: { query: { project_id } }, signal })),
    enabled: org.can("models.use"),
  });
}
