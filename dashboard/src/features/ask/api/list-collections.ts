import { useQuery } from "@tanstack/react-query";
import { answer } from "@/lib/api/client";
import { useOrg } from "@/lib/org";

/** The collections that can be asked: the first 200, which is a page of the API. */
export function useCollections(project: string | undefined) {
  const org = useOrg();
  return useQuery({
    queryKey: [org.id, "collections", "to-ask", project ?? null],
    queryFn: ({ signal }) =>
      answer(
        org.api.GET("/api/v1/collections", {
          params: { query: { limit: 200, ...(project ? { project_id: project } : {}) } },
          signal,
        }),
      ),
    enabled: org.canSomewhere("knowledge.read"),
    staleTime: 30_000,
  });
}
