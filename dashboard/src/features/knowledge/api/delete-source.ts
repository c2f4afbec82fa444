import { useMutation, useQueryClient } from "@tanstack/react-query";
import { answer } from "@/lib/api/client";
import { useOrg } from "@/lib/org";
import { sourcesKey } from "./list-sources";

/** Takes a source away; its documents stay. */
export function useDeleteSource() {
  const org = useOrg();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => answer(org.api.DELETE("/api/v1/sources/{id}", { params: { path: { id } } })),
    onSuccess: () => queries.invalidateQueries({ queryKey: sourcesKey(org) }),
  });
}
