import { useQuery } from "@tanstack/react-query";
import { versioned } from "@/lib/api/deed";
import { useOrg } from "@/lib/org";

/** The person's own profile, with its version. */
export function useProfile() {
  const org = useOrg();
  return useQuery({
    queryKey: [org.id, "user", "profile"],
    queryFn: ({ signal }) => versioned(org.api.GET("/api/v1/user/profile", { signal })),
  });
}
