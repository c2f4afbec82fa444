import { useQuery } from "@tanstack/react-query";
import { answer } from "@/lib/api/client";
import { useOrg } from "@/lib/org";

/** The models and aliases that can write an answer: those whose words have a price. Models that embed write none. */
export function useModels(project_id: string | undefined) {
  const org = useOrg();
  return useQuery({
    queryKey: [org.id, "models", "to-ask", project_id ?? null],
    queryFn: async ({ signal }) => {
      const { data } = await answer(org.api.GET("/api/v1/models", { params: { query: { project_id } }, signal }));
      return data.filter(({ price }) => price && price.output_micros > 0).map(({ id }) => id);
    },
    enabled: org.can("models.use", project_id),
    staleTime: 60_000,
  });
}
