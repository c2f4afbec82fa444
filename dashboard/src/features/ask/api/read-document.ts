import { useQuery } from "@tanstack/react-query";
import { answer } from "@/lib/api/client";
import { useOrg } from "@/lib/org";

/** The text of a version of a document, which never changes. */
export function useDocumentText(id: string | null | undefined, version: number | null | undefined) {
  const org = useOrg();
  return useQuery({
    queryKey: [org.id, "documents", id, "content", version ?? null],
    queryFn: ({ signal }) =>
      answer(
        org.api.GET("/api/v1/documents/{id}/content", {
          params: { path: { id: id ?? "" }, query: version ? { version } : {} },
          signal,
        }),
      ),
    enabled: Boolean(id),
    staleTime: 60_000,
  });
}
