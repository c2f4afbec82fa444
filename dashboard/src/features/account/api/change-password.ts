import type { Schemas } from "@/lib/api/client";
import { deed } from "@/lib/api/deed";

/** Sets a new password. */
export const useChangePassword = deed(
  (api, body: Schemas["ChangePassword"]) => api.PUT("/api/v1/auth/password", { body }),
  ["user"],
  { quiet: true },
);
