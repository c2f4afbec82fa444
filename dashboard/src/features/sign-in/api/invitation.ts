import { queryOptions } from "@tanstack/react-query";
import { answer, api } from "@/lib/api/client";

/** Where the link of an invitation leads. */
export function invitationQuery(token: string) {
  return queryOptions({
    queryKey: ["invitation", token],
    queryFn: ({ signal }) => answer(api.POST("/api/v1/invitations/preview", { body: { token }, signal })),
    retry: false,
    gcTime: 0,
  });
}

/** Accepts it: gives the organisation, or `null` when the invited mailbox must confirm first. */
export async function acceptInvitation(token: string) {
  const joined = await answer(api.POST("/api/v1/invitations/accept", { body: { token } }));
  return "organization" in joined ? joined.organization : null;
}
