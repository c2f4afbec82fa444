import { useMutation } from "@tanstack/react-query";
import { answer } from "@/lib/api/client";
import { useOrg } from "@/lib/org";
import { saveFile } from "@/lib/save-file";
import { type LogFilter, logQuery } from "./logs";

/** Takes the rows out as a file: all that the filter lets through, not only those of the page. */
export function useExportLog() {
  const org = useOrg();
  return useMutation({
    mutationFn: async (filter: LogFilter) => {
      const file = await answer(
        org.api.GET("/api/v1/usage/logs", {
          params: { query: logQuery(filter) },
          headers: { accept: "text/csv" },
          parseAs: "blob",
        }),
      );
      saveFile(file as unknown as Blob, "usage.csv");
    },
  });
}
