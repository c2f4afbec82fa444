import { answer, type Schemas } from "@/lib/api/client";
import { usePages } from "@/lib/api/paging";
import { useOrg } from "@/lib/org";

export type Delivery = Schemas["WebhookDelivery"];
/** They stand in a drawer. */
const FEW = 20;

/** What a webhook was told, and how that went. */
export function useDeliveries(id: string) {
  const org = useOrg();
  return usePages<Delivery>([org.id, "webhooks", id, "deliveries"], (cursor, signal) =>
    answer(
      org.api.GET("/api/v1/webhooks/{id}/deliveries", {
        params: { path: { id }, query: { cursor, limit: FEW } },
        signal,
      }),
    ),
  );
}
