import { answer, type Schemas } from "@/lib/api/client";
import { PAGE, usePages } from "@/lib/api/paging";
import { startOfDay } from "@/lib/days";
import { useOrg } from "@/lib/org";
import { usageKey, type Whose } from "./summary";

export type Row = Schemas["UsageRow"];
export interface LogFilter extends Whose {
  operation?: string;
  outcome?: Schemas["Outcome"];
  model?: string;
  /** From the beginning of this day on, and before the end of that one: `2026-11-23`. */
  from?: string;
  until?: string;
}

/** What the filter means to the API. Days begin and end where the reader is, whose time the rows are shown in. */
export function logQuery({ from, until, ...filter }: LogFilter) {
  return { ...filter, from: startOfDay(from), until: startOfDay(until, 1) };
}

/** The usage log, the newest row first. */
export function useLog(filter: LogFilter) {
  const org = useOrg();
  return usePages<Row>([...usageKey(org), "log", filter], async (cursor, signal) => {
    const page = await answer(
      org.api.GET("/api/v1/usage/logs", {
        params: { query: { ...logQuery(filter), cursor, limit: PAGE } },
        signal,
      }),
    );
    // The other forms of the answer, files, come only when they are asked for.
    return page as Schemas["Page_for_UsageRow"];
  });
}
