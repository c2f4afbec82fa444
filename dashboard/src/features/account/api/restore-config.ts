import { deed } from "@/lib/api/deed";

/** Goes back to an earlier version of the own settings. */
export const useRestoreConfig = deed(
  (api, version: number) => api.PUT("/api/v1/user/config/restore", { body: { version } }),
  ["user"],
);
