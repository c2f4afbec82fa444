import { deed } from "@/lib/api/deed";

/** Takes a webhook away. */
export const useDeleteWebhook = deed(
  (api, id: string) => api.DELETE("/api/v1/webhooks/{id}", { params: { path: { id } } }),
  ["webhooks"],
);
