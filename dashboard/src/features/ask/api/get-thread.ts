import { useQuery } from "@tanstack/react-query";
import { answer } from "@/lib/api/client";
import { useOrg } from "@/lib/org";
import { threadsKey } from "./list-threads";

/** A conversation. */
export function useThread(id: string) {
  const org = useOrg();
  return useQuery({
    queryKey: [...threadsKey(org), id],
    queryFn: ({ signal }) => answer(org.api.GET("/api/v1/threads/{id}", { params: { path: { id } }, signal })),
  });
}
