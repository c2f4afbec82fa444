import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { answer, type Schemas } from "@/lib/api/client";
import { useOrg } from "@/lib/org";
import { collectionsKey } from "./list-collections";

/** With whom a collection is shared: the first 200, which is a page of the API. */
export function useCollectionShares(id: string, enabled: boolean) {
  const org = useOrg();
  return useQuery({
    queryKey: [...collectionsKey(org), id, "shares"],
    queryFn: async ({ signal }) => {
      const params = { path: { id }, query: { limit: 200 } };
      return (await answer(org.api.GET("/api/v1/collections/{id}/shares", { params, signal }))).data;
    },
    enabled,
  });
}

interface Change {
  level: Schemas["ShareLevel"];
  id: string;
  shared: boolean;
}

/** Shares a collection with a person or a team, or ends that. */
export function useChangeCollectionShare(collection: string) {
  const org = useOrg();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async ({ level, id, shared }: Change) => {
      const user = { params: { path: { id: collection, user_id: id } } };
      const team = { params: { path: { id: collection, team_id: id } } };
      if (level === "user") {
        if (shared) await answer(org.api.PUT("/api/v1/collections/{id}/shares/users/{user_id}", user));
        else await answer(org.api.DELETE("/api/v1/collections/{id}/shares/users/{user_id}", user));
      } else if (shared) await answer(org.api.PUT("/api/v1/collections/{id}/shares/teams/{team_id}", team));
      else await answer(org.api.DELETE("/api/v1/collections/{id}/shares/teams/{team_id}", team));
    },
    onSuccess: () => queries.invalidateQueries({ queryKey: [...collectionsKey(org), collection, "shares"] }),
  });
}
