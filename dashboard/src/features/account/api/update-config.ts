import type { Schemas } from "@/lib/api/client";
import { deed } from "@/lib/api/deed";

/** Changes the own settings; `null` goes back to what holds by default. */
export const useUpdateConfig = deed(
  (api, body: Partial<Schemas["ConfigPatch"]>) => api.PATCH("/api/v1/user/config", { body }),
  ["user"],
);
