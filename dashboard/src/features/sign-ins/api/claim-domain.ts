import type { Schemas } from "@/lib/api/client";
import { deed } from "@/lib/api/deed";

/** Claims a mail domain; a link that proves it is mailed there. */
export const useClaimDomain = deed(
  (api, body: Schemas["ClaimMailDomain"]) => api.POST("/api/v1/mail-domains", { body }),
  ["mail-domains"],
  { quiet: true },
);
