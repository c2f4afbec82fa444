import { useMutation, useQueryClient } from "@tanstack/react-query";
import { answer } from "@/lib/api/client";
import { useOrg } from "@/lib/org";
import { keysKey } from "./list-keys";

/** Revokes a key, at once and for ever. */
export function useRevokeKey() {
  const org = useOrg();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => answer(org.api.DELETE("/api/v1/auth/api-keys/{id}", { params: { path: { id } } })),
    onSuccess: () => queries.invalidateQueries({ queryKey: keysKey(org) }),
  });
}
