import { answer, type Schemas } from "@/lib/api/client";
import { PAGE, usePages } from "@/lib/api/paging";
import { useOrg } from "@/lib/org";
import { asked, type Filter } from "../filter";

export type Entry = Schemas["AuditEntry"];

/** The entries that a filter finds, the newest first. */
export function useEntries(filter: Filter) {
  const org = useOrg();
  const wanted = asked(filter);
  return usePages<Entry>([org.id, "audit", "list", wanted], (cursor, signal) =>
    answer(org.api.GET("/api/v1/audit", { params: { query: { ...wanted, cursor, limit: PAGE } }, signal })),
  );
}
