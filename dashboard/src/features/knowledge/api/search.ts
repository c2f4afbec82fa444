import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { answer, type Schemas } from "@/lib/api/client";
import { useOrg } from "@/lib/org";

export type Wanted = Schemas["SearchFor"];
export type Found = Schemas["SearchResult"];
export type Explanation = Schemas["SearchExplanation"];

/** Finds passages by words and by meaning. */
export function useSearch(wanted: Wanted) {
  const org = useOrg();
  return useQuery({
    queryKey: [org.id, "search", wanted],
    queryFn: ({ signal }) => answer(org.api.POST("/api/v1/search", { body: wanted, signal })),
    enabled: wanted.query !== "",
    placeholderData: keepPreviousData,
    staleTime: 30_000,
  });
}
