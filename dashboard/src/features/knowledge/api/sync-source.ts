import { useMutation, useQueryClient } from "@tanstack/react-query";
import { answer } from "@/lib/api/client";
import { useOrg } from "@/lib/org";
import { sourcesKey } from "./list-sources";

/** Brings what changed at a source. */
export function useSyncSource() {
  const org = useOrg();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => answer(org.api.POST("/api/v1/sources/{id}/sync", { params: { path: { id } } })),
    onSuccess: () => queries.invalidateQueries({ queryKey: sourcesKey(org) }),
  });
}
