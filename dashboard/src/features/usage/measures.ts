/** What a chart can show of usage. */

import type { Schemas } from "@/lib/api/client";
import type { Format } from "@/lib/format";

export const MEASURES = ["cost", "tokens", "requests"] as const;
export type Measure = (typeof MEASURES)[number];

/** A sum's amount of it. */
export function amountOf(measure: Measure, sums: Pick<Schemas["UsageSums"], "cost_micros" | "tokens" | "requests">) {
  return measure === "cost" ? sums.cost_micros : sums[measure];
}

/** An amount of it, in words. Usage is charged in US dollars; budgets in other currencies convert. */
export function say(measure: Measure, amount: number, format: Format): string {
  return measure === "cost" ? format.money(amount, "USD") : format.number(amount);
}
