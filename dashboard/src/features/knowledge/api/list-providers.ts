import { useQuery } from "@tanstack/react-query";
import { answer } from "@/lib/api/client";
import { useOrg } from "@/lib/org";

/** The organisation's providers that can embed: those that speak OpenAI's dialect. The first 200, which is a page of the API. */
export function useProviders(enabled: boolean) {
  const org = useOrg();
  return useQuery({
    queryKey: [org.id, "providers", "to-embed"],
    queryFn: async ({ signal }) => {
      const params = { query: { limit: 200 } };
      return (await answer(org.api.GET("/api/v1/providers", { params, signal }))).data;
    },
    enabled,
    staleTime: 60_000,
  });
}
