import { useQuery } from "@tanstack/react-query";
import { answer } from "@/lib/api/client";
import { useOrg } from "@/lib/org";
import { collectionsKey } from "./list-collections";

/** A collection. */
export function useCollection(id: string | undefined) {
  const org = useOrg();
  return useQuery({
    queryKey: [...collectionsKey(org), id],
    queryFn: ({ signal }) =>
      answer(org.api.GET("/api/v1/collections/{id}", { params: { path: { id: id ?? "" } }, signal })),
    enabled: id !== undefined,
  });
}
