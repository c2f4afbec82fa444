import { useQuery } from "@tanstack/react-query";
import { answer } from "@/lib/api/client";
import { useFormat } from "@/lib/format";
import { useOrg } from "@/lib/org";

/** What a page of the API holds at most. */
const MOST = 200;

/** The collections that the person sees. */
export function useCollections() {
  const org = useOrg();
  return useQuery({
    queryKey: [org.id, "collections", "home"],
    queryFn: ({ signal }) => answer(org.api.GET("/api/v1/collections", { params: { query: { limit: MOST } }, signal })),
    enabled: org.canSomewhere("knowledge.read"),
  });
}

/** What is under way for documents. */
export function useJobs() {
  const org = useOrg();
  return useQuery({
    queryKey: [org.id, "jobs", "home"],
    queryFn: ({ signal }) => answer(org.api.GET("/api/v1/jobs", { params: { query: { limit: MOST } }, signal })),
    enabled: org.canSomewhere("knowledge.read"),
  });
}

/** The documents that could not be read, and how many: the first page says no more than that there are many. */
export function useUnread() {
  const org = useOrg();
  const format = useFormat();
  const query = useQuery({
    queryKey: [org.id, "jobs", "failed"],
    queryFn: ({ signal }) =>
      answer(org.api.GET("/api/v1/jobs", { params: { query: { failed: true, limit: MOST } }, signal })),
    enabled: org.canSomewhere("knowledge.read"),
  });
  const some = query.data?.data.length ?? 0;
  return { query, some, count: `${format.number(some)}${query.data?.next_cursor ? "+" : ""}` };
}

/** How many documents there are, and may be. */
export function useQuota() {
  const org = useOrg();
  return useQuery({
    queryKey: [org.id, "usage", "quota"],
    queryFn: ({ signal }) => answer(org.api.GET("/api/v1/usage/quota", { signal })),
    enabled: org.canSomewhere("usage.read"),
  });
}
