import { useMutation, useQueryClient } from "@tanstack/react-query";
import { answer, type Schemas } from "@/lib/api/client";
import { useOrg } from "@/lib/org";
import type { Message } from "./list-messages";

/** Makes what would have been right a document, so that it is found from then on. */
export function useApproveCorrection(of: Message) {
  const org = useOrg();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: Schemas["Approve"]) =>
      answer(
        org.api.POST("/api/v1/threads/{id}/messages/{message_id}/correction", {
          params: { path: { id: of.thread_id, message_id: of.id } },
          body,
        }),
      ),
    onSuccess: () => queries.invalidateQueries({ queryKey: [org.id, "collections"] }),
    meta: { quiet: true },
  });
}
