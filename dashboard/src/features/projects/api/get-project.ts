import { useQuery } from "@tanstack/react-query";
import { versioned } from "@/lib/api/deed";
import { useOrg } from "@/lib/org";

/** A project, with its version. */
export function useProjectInFull(id: string) {
  const org = useOrg();
  return useQuery({
    queryKey: [org.id, "projects", "one", id],
    queryFn: ({ signal }) => versioned(org.api.GET("/api/v1/projects/{id}", { params: { path: { id } }, signal })),
  });
}
