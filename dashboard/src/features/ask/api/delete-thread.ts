import { useMutation, useQueryClient } from "@tanstack/react-query";
import { answer } from "@/lib/api/client";
import { useOrg } from "@/lib/org";
import { threadsKey } from "./list-threads";

/** Deletes a conversation with all that was said in it. */
export function useDeleteThread() {
  const org = useOrg();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => answer(org.api.DELETE("/api/v1/threads/{id}", { params: { path: { id } } })),
    onSuccess: (_, id) => {
      queries.removeQueries({ queryKey: [...threadsKey(org), id] });
      return queries.invalidateQueries({ queryKey: [...threadsKey(org), "list"] });
    },
  });
}
