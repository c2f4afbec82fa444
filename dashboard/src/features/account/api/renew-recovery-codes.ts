import { deed } from "@/lib/api/deed";

/** Makes new recovery codes; the old ones stop working. */
export const useRenewRecoveryCodes = deed(
  (api, code: string) => api.POST("/api/v1/auth/recovery-codes", { body: { code } }),
  ["user"],
  {
    quiet: true,
  },
);
