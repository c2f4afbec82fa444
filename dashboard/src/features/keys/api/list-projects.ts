import { useQuery } from "@tanstack/react-query";
import { answer } from "@/lib/api/client";
import { useOrg } from "@/lib/org";

/** The projects that a key can be for: the first 200, which is a page of the API. */
export function useProjects() {
  const org = useOrg();
  return useQuery({
    queryKey: [org.id, "projects", "for-keys"],
    queryFn: ({ signal }) => answer(org.api.GET("/api/v1/projects", { params: { query: { limit: 200 } }, signal })),
    enabled: org.canSomewhere("projects.read"),
    staleTime: 60_000,
  });
}
