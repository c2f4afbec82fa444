import type { Schemas } from "@/lib/api/client";
import { deed } from "@/lib/api/deed";

/** Changes a webhook, or switches it off and on. */
export const useUpdateWebhook = deed(
  (api, { id, ...body }: { id: string } & Schemas["UpdateWebhook"]) =>
    api.PATCH("/api/v1/webhooks/{id}", { params: { path: { id } }, body }),
  ["webhooks"],
  { quiet: true },
);
