import { deed } from "@/lib/api/deed";

/** Turns the second factor on; the answer holds the recovery codes. */
export const useConfirmFactor = deed(
  (api, code: string) => api.POST("/api/v1/auth/totp/confirm", { body: { code } }),
  ["user"],
  { quiet: true },
);
