import { useMutation, useQueryClient } from "@tanstack/react-query";
import { answer } from "@/lib/api/client";
import { useOrg } from "@/lib/org";
import { keysKey } from "./list-keys";

/** Puts a new key in the place of one, which goes on working for a while. */
export function useRotateKey() {
  const org = useOrg();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ id, grace_seconds }: { id: string; grace_seconds: number }) =>
      answer(org.api.POST("/api/v1/auth/api-keys/{id}/rotate", { params: { path: { id } }, body: { grace_seconds } })),
    onSuccess: () => queries.invalidateQueries({ queryKey: keysKey(org) }),
    meta: { quiet: true },
    gcTime: 0,
  });
}
