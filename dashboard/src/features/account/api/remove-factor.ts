import { deed } from "@/lib/api/deed";

/** Turns the second factor off. */
export const useRemoveFactor = deed(
  (api, code: string) => api.DELETE("/api/v1/auth/totp", { body: { code } }),
  ["user"],
  {
    quiet: true,
  },
);
