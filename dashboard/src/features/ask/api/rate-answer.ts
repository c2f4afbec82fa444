import { useMutation, useQueryClient } from "@tanstack/react-query";
import { answer, type Schemas } from "@/lib/api/client";
import { useOrg } from "@/lib/org";
import { type Message, messagesKey } from "./list-messages";

/** Says what one thinks of an answer; it takes the place of what was said before. */
export function useRateAnswer(of: Message) {
  const org = useOrg();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: Schemas["Feedback"]) =>
      answer(
        org.api.PUT("/api/v1/threads/{id}/messages/{message_id}/feedback", {
          params: { path: { id: of.thread_id, message_id: of.id } },
          body,
        }),
      ),
    onSuccess: () => queries.invalidateQueries({ queryKey: messagesKey(org, of.thread_id) }),
  });
}
