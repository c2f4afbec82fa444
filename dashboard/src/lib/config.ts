/** What the person has set for themselves at an organisation: several features read and write it, so they have its query in common. */
import { queryOptions } from "@tanstack/react-query";
import { answer } from "@/lib/api/client";
import type { Org } from "@/lib/org";

export function configQuery(org: Org) {
  return queryOptions({
    queryKey: [org.id, "user", "config"],
    queryFn: ({ signal }) => answer(org.api.GET("/api/v1/user/config", { signal })),
  });
}
