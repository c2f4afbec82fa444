import { useQuery } from "@tanstack/react-query";
import { answer } from "@/lib/api/client";
import { useOrg } from "@/lib/org";

/** Whether the log is whole. It is read from end to end for this, so only when somebody comes, or asks again. */
export function useVerification() {
  const org = useOrg();
  return useQuery({
    // Not below the log's own key: not each new entry has all of it read again.
    queryKey: [org.id, "audit-verification"],
    queryFn: ({ signal }) => answer(org.api.GET("/api/v1/audit/verify", { signal })),
    staleTime: 5 * 60_000,
    refetchOnWindowFocus: false,
  });
}
