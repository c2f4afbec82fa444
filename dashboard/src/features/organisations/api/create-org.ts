import { useMutation, useQueryClient } from "@tanstack/react-query";
import { answer, api, type Schemas } from "@/lib/api/client";

/** Makes a further organisation, which the person owns. */
export function useCreateOrg() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: Schemas["CreateOrg"]) => answer(api.POST("/api/v1/orgs", { body })),
    onSuccess: () => queries.removeQueries({ queryKey: ["me"] }),
    meta: { quiet: true },
  });
}
