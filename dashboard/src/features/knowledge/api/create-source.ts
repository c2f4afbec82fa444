import { useMutation, useQueryClient } from "@tanstack/react-query";
import { answer, type Schemas } from "@/lib/api/client";
import { useOrg } from "@/lib/org";
import { sourcesKey } from "./list-sources";

/** Sets up a source, and brings what it has. */
export function useCreateSource(collection: string) {
  const org = useOrg();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: Schemas["CreateSource"]) =>
      answer(org.api.POST("/api/v1/collections/{id}/sources", { params: { path: { id: collection } }, body })),
    onSuccess: () => queries.invalidateQueries({ queryKey: sourcesKey(org) }),
    meta: { quiet: true },
  });
}
