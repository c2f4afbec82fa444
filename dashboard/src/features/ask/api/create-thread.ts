import { useMutation, useQueryClient } from "@tanstack/react-query";
import { answer } from "@/lib/api/client";
import { useOrg } from "@/lib/org";
import { threadsKey } from "./list-threads";

/** Begins a conversation, about a project's knowledge or all. */
export function useCreateThread() {
  const org = useOrg();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (project: string | undefined) =>
      answer(org.api.POST("/api/v1/threads", { body: project ? { project_id: project } : {} })),
    onSuccess: () => queries.invalidateQueries({ queryKey: threadsKey(org) }),
    meta: { quiet: true },
  });
}
