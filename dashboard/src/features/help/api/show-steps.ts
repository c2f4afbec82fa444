import { useMutation, useQueryClient } from "@tanstack/react-query";
import { answer } from "@/lib/api/client";
import { configQuery } from "@/lib/config";
import { useOrg } from "@/lib/org";

/** Shows the first steps again, all of them ahead. */
export function useShowSteps() {
  const org = useOrg();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () => answer(org.api.PATCH("/api/v1/user/config", { body: { guide: null } })),
    onSuccess: (config) => queries.setQueryData(configQuery(org).queryKey, config),
  });
}
