import { useMutation, useQueryClient } from "@tanstack/react-query";
import { answer, type Schemas } from "@/lib/api/client";
import { useOrg } from "@/lib/org";
import { threadsKey } from "./list-threads";

/** Renames a conversation, or changes who reads it. */
export function useUpdateThread(id: string) {
  const org = useOrg();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: Schemas["UpdateThread"]) =>
      answer(org.api.PATCH("/api/v1/threads/{id}", { params: { path: { id } }, body })),
    onSuccess: () => queries.invalidateQueries({ queryKey: threadsKey(org) }),
  });
}
