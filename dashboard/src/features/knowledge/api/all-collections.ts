import { useQuery } from "@tanstack/react-query";
import { answer } from "@/lib/api/client";
import { useOrg } from "@/lib/org";
import { collectionsKey } from "./list-collections";

/** The collections to choose from: the first 200, which is a page of the API. */
export function useAllCollections(project: string | undefined) {
  const org = useOrg();
  return useQuery({
    queryKey: [...collectionsKey(org), "to-choose", project ?? null],
    queryFn: ({ signal }) =>
      answer(
        org.api.GET("/api/v1/collections", {
          params: { query: { limit: 200, ...(project ? { project_id: project } : {}) } },
          signal,
        }),
      ),
    staleTime: 30_000,
  });
}
