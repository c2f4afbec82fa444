import type { Schemas } from "@/lib/api/client";
import { deed } from "@/lib/api/deed";

/** Makes a custom role, which holds at most what its maker holds. */
export const useCreateRole = deed(
  (api, body: Schemas["CreateRole"]) => api.POST("/api/v1/roles", { body }),
  ["roles"],
  { quiet: true },
);
