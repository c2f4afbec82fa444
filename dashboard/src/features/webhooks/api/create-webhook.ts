import type { Schemas } from "@/lib/api/client";
import { deed } from "@/lib/api/deed";

/** Makes a webhook; the answer is the only one that holds its secret. */
export const useCreateWebhook = deed(
  (api, body: Schemas["CreateWebhook"]) => api.POST("/api/v1/webhooks", { body }),
  ["webhooks"],
  { quiet: true },
);
