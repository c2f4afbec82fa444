import { deed } from "@/lib/api/deed";

/** Mails a new link that proves a domain; the one before is void. */
export const useResendProof = deed(
  (api, id: string) => api.POST("/api/v1/mail-domains/{id}/verify", { params: { path: { id } }, body: {} }),
  ["mail-domains"],
);
