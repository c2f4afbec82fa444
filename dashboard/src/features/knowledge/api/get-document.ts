import { useQuery } from "@tanstack/react-query";
import { answer } from "@/lib/api/client";
import { useOrg } from "@/lib/org";
import { documentsKey } from "./list-documents";

/** While a document is read, how far it is is asked for so often. */
const UNDER_WAY = 1500;

/** A document. */
export function useDocument(id: string) {
  const org = useOrg();
  return useQuery({
    queryKey: [...documentsKey(org), id],
    queryFn: ({ signal }) => answer(org.api.GET("/api/v1/documents/{id}", { params: { path: { id } }, signal })),
    refetchInterval: ({ state: { data } }) =>
      data && (data.status === "queued" || data.status === "processing" || data.embedded < data.passages)
        ? UNDER_WAY
        : false,
  });
}
