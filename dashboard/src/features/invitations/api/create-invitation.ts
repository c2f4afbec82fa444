import type { Schemas } from "@/lib/api/client";
import { deed } from "@/lib/api/deed";

export type SentInvitation = Schemas["SentInvitation"];

/** Invites somebody; the answer is the only one that holds the link. */
export const useCreateInvitation = deed(
  (api, body: Schemas["CreateInvitation"]) => api.POST("/api/v1/invitations", { body }),
  ["invitations", "entitlements"],
  { quiet: true },
);
