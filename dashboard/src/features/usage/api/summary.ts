import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { answer, type Schemas } from "@/lib/api/client";
import { type Org, useOrg } from "@/lib/org";

export type Summary = Schemas["UsageSummary"];
export type Group = Schemas["UsageGroup"];
export type By = Schemas["By"];
/** What pages sum usage by. Agents are left out: nothing runs as one yet. */
export type Side = Exclude<By, "day" | "agent">;
/** Whose usage is meant; everybody's whom one may see when nothing is said. */
export interface Whose {
  user?: string;
  team?: string;
  project?: string;
  key?: string;
}

/** Everything that is known of an organisation's usage is known under this. */
export function usageKey(org: Org) {
  return [org.id, "usage"] as const;
}

/** Sums of a month, such as `2026-11`; of this one when none is named. */
export function useSummary(by: By, month: string | undefined, whose: Whose, enabled = true) {
  const org = useOrg();
  return useQuery({
    queryKey: [...usageKey(org), "summary", by, month ?? "now", whose],
    queryFn: ({ signal }) =>
      answer(org.api.GET("/api/v1/usage/summary", { params: { query: { by, month, ...whose } }, signal })),
    placeholderData: keepPreviousData,
    enabled: enabled && (org.canSomewhere("usage.read") || org.canSomewhere("usage.all")),
  });
}
