import { deed } from "@/lib/api/deed";

/** Makes a link void. */
export const useRevokeInvitation = deed(
  (api, id: string) => api.DELETE("/api/v1/invitations/{id}", { params: { path: { id } } }),
  ["invitations", "entitlements"],
);
