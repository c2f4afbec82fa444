import { useQuery } from "@tanstack/react-query";
import { answer } from "@/lib/api/client";
import { useOrg } from "@/lib/org";
import { documentsKey } from "./list-documents";

/** How many documents a collection has, and their bytes. Of a large one a page is counted; `more` says that there are others. */
export function useCollectionSize(collection: string) {
  const org = useOrg();
  return useQuery({
    queryKey: [...documentsKey(org), "list", collection, "size"],
    queryFn: async ({ signal }) => {
      const params = { path: { id: collection }, query: { limit: 200 } };
      const { data, next_cursor } = await answer(org.api.GET("/api/v1/collections/{id}/documents", { params, signal }));
      const bytes = data.reduce((sum, { size }) => sum + size, 0);
      return { documents: data.length, bytes, more: Boolean(next_cursor) };
    },
  });
}
