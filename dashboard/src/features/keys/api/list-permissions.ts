import { useQuery } from "@tanstack/react-query";
import { answer } from "@/lib/api/client";
import { useOrg } from "@/lib/org";

/** All permissions with what each allows; they change with the program alone. */
export function usePermissions(enabled: boolean) {
  const org = useOrg();
  return useQuery({
    queryKey: [org.id, "permissions"],
    queryFn: ({ signal }) => answer(org.api.GET("/api/v1/permissions", { signal })),
    staleTime: Number.POSITIVE_INFINITY,
    enabled,
  });
}
