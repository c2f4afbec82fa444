import { useQuery } from "@tanstack/react-query";
import { answer, type Schemas } from "@/lib/api/client";
import { useOrg } from "@/lib/org";
import { useProjectFor } from "@/lib/project";

export type Model = Schemas["Model"];

/** The models and names that the person can use, in the project that is chosen, or where they may use any; all on one page. */
export function useModels() {
  const org = useOrg();
  const project_id = useProjectFor("models.use");
  return useQuery({
    queryKey: [org.id, "models", project_id ?? null],
    queryFn: ({ signal }) => answer(org.api.GET("/api/v1/models", { params: { query: { project_id } }, signal })),
    enabled: org.can("models.use", project_id),
  });
}
