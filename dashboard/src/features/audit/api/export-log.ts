import { useMutation } from "@tanstack/react-query";
import { download } from "@/lib/download";
import { useOrg } from "@/lib/org";
import { asked, type Filter } from "../filter";

/** Saves what a filter finds as a file. */
export function useExport() {
  const org = useOrg();
  return useMutation({
    mutationFn: ({ filter, format }: { filter: Filter; format: "csv" | "jsonl" }) =>
      download(
        org.api.GET("/api/v1/audit/export", { params: { query: { ...asked(filter), format } }, parseAs: "blob" }),
        `audit-${org.slug}.${format}`,
      ),
  });
}
