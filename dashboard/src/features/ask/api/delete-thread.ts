import { useMutation, useQueryClient } from "@tanstack/react-query";
import { answer } from "@/lib/api/client";
import { leaving } from "@/lib/api/leaving";
import { useOrg } from "@/lib/org";
import { threadsKey } from "./list-threads";

/** Deletes a conversation with all that was said in it. */
export function useDeleteThread() {
  const org = useOrg();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (id: string) =>
      leaving(id, () => answer(org.api.DELETE("/api/v1/threads/{id}", { params: { path: { id } } }))),
    onSuccess: () => queries.invalidateQueries({ queryKey: [...threadsKey(org), "list"] }),
  });
}
