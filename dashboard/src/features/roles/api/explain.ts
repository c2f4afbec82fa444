import { useQuery } from "@tanstack/react-query";
import { answer, type Permission } from "@/lib/api/client";
import { useOrg } from "@/lib/org";

export interface Asked {
  permission: Permission;
  user_id: string;
  team_id?: string;
  project_id?: string;
}

/** Why somebody may or may not do a thing. */
export function useExplanation(asked: Asked | undefined) {
  const org = useOrg();
  return useQuery({
    queryKey: [org.id, "access", asked],
    queryFn: ({ signal }) =>
      answer(
        org.api.GET("/api/v1/access/explain", {
          params: { query: asked ?? { permission: "org.read" } },
          signal,
        }),
      ),
    enabled: asked !== undefined,
    // Rights change elsewhere; what is asked is asked now.
    staleTime: 0,
  });
}
