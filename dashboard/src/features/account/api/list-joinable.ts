import { useQuery } from "@tanstack/react-query";
import { answer } from "@/lib/api/client";
import { useOrg } from "@/lib/org";

/** Organisations that let people with the own mail address in. */
export function useJoinable() {
  const org = useOrg();
  return useQuery({
    queryKey: [org.id, "user", "joinable"],
    queryFn: ({ signal }) => answer(org.api.GET("/api/v1/mail-domains/join", { signal })),
    staleTime: 60_000,
  });
}
