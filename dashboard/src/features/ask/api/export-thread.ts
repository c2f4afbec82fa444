import { useMutation } from "@tanstack/react-query";
import { answer } from "@/lib/api/client";
import { useOrg } from "@/lib/org";

/** A conversation as Markdown. */
export function useExportThread() {
  const org = useOrg();
  return useMutation({
    mutationFn: async (id: string) =>
      (await answer(
        org.api.GET("/api/v1/threads/{id}/export", { params: { path: { id } }, parseAs: "blob" }),
      )) as unknown as Blob,
  });
}
