import { answer, type Schemas } from "@/lib/api/client";
import { PAGE, usePages } from "@/lib/api/paging";
import { useOrg } from "@/lib/org";

export type Webhook = Schemas["Webhook"];

/** The webhooks, without their secrets. */
export function useWebhooks() {
  const org = useOrg();
  return usePages<Webhook>([org.id, "webhooks", "list"], (cursor, signal) =>
    answer(org.api.GET("/api/v1/webhooks", { params: { query: { cursor, limit: PAGE } }, signal })),
  );
}
