import { useMutation } from "@tanstack/react-query";
import { answer } from "@/lib/api/client";
import { useOrg } from "@/lib/org";

/** The file of a version, as it came. */
export function useDownloadOriginal(id: string) {
  const org = useOrg();
  return useMutation({
    mutationFn: async (version: number) =>
      (await answer(
        org.api.GET("/api/v1/documents/{id}/original", {
          params: { path: { id }, query: { version } },
          parseAs: "blob",
        }),
      )) as unknown as Blob,
  });
}
