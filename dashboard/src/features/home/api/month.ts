import { useQuery } from "@tanstack/react-query";
import { answer } from "@/lib/api/client";
import { useOrg } from "@/lib/org";

/** What was spent this month, day by day: everybody's, or one's own where one may not see more. */
export function useMonth() {
  const org = useOrg();
  return useQuery({
    queryKey: [org.id, "usage", "month"],
    queryFn: ({ signal }) => answer(org.api.GET("/api/v1/usage/summary", { params: { query: { by: "day" } }, signal })),
    enabled: org.canSomewhere("usage.read") || org.canSomewhere("usage.all"),
  });
}
