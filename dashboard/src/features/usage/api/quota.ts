import { useQuery } from "@tanstack/react-query";
import { answer, type Schemas } from "@/lib/api/client";
import { useOrg } from "@/lib/org";
import { usageKey } from "./summary";

export type QuotaLimit = Schemas["UsageLimit"];

/** What is left of each limit on one's own path. */
export function useQuota() {
  const org = useOrg();
  return useQuery({
    queryKey: [...usageKey(org), "quota"],
    queryFn: ({ signal }) => answer(org.api.GET("/api/v1/usage/quota", { signal })),
    enabled: org.canSomewhere("usage.read"),
  });
}
