import { useQuery } from "@tanstack/react-query";
import { answer } from "@/lib/api/client";
import { useOrg } from "@/lib/org";

/** The models and aliases that can write an answer: those whose words have a price. Models that embed write none. */
export function useModels() {
  const org = useOrg();
  return useQuery({
    queryKey: [org.id, "models", "to-ask"],
    queryFn: async ({ signal }) => {
      const { data } = await answer(org.api.GET("/api/v1/models", { params: { query: {} }, signal }));
      return data.filter(({ price }) => price && price.output_micros > 0).map(({ id }) => id);
    },
    enabled: org.can("models.use"),
    staleTime: 60_000,
  });
}
