import { useQuery } from "@tanstack/react-query";
import type { Schemas } from "@/lib/api/client";
import { versioned } from "@/lib/api/deed";
import { useOrg } from "@/lib/org";

export type Config = Schemas["UserConfig"];

/** What the person has set for themselves here, and what holds for the rest. */
export function useConfig() {
  const org = useOrg();
  return useQuery({
    queryKey: [org.id, "user", "config"],
    queryFn: ({ signal }) => versioned(org.api.GET("/api/v1/user/config", { signal })),
  });
}
