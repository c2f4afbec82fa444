import { deed } from "@/lib/api/deed";

/** Gives a mail domain up. */
export const useGiveUpDomain = deed(
  (api, id: string) => api.DELETE("/api/v1/mail-domains/{id}", { params: { path: { id } } }),
  ["mail-domains"],
);
