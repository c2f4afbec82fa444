import { useQuery } from "@tanstack/react-query";
import { answer } from "@/lib/api/client";
import { useOrg } from "@/lib/org";

/** The services that can be connected, and whether they are. */
export function useConnections() {
  const org = useOrg();
  return useQuery({
    queryKey: [org.id, "user", "connections"],
    queryFn: ({ signal }) => answer(org.api.GET("/api/v1/user/connections", { signal })),
  });
}
