import { deed } from "@/lib/api/deed";

/** Sends a message that only tries the webhook. */
export const useTestWebhook = deed(
  (api, id: string) => api.POST("/api/v1/webhooks/{id}/test", { params: { path: { id } } }),
  ["webhooks"],
);
