import { deed } from "@/lib/api/deed";

/** Mails a new link; the one before is void. */
export const useResendInvitation = deed(
  (api, id: string) => api.POST("/api/v1/invitations/{id}/resend", { params: { path: { id } } }),
  ["invitations"],
);
