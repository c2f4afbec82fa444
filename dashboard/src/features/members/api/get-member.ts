import { useQuery } from "@tanstack/react-query";
import { answer } from "@/lib/api/client";
import { useOrg } from "@/lib/org";

/** A member with their teams, projects and rights. */
export function useMember(id: string) {
  const org = useOrg();
  return useQuery({
    queryKey: [org.id, "members", "one", id],
    queryFn: ({ signal }) =>
      answer(org.api.GET("/api/v1/members/{user_id}", { params: { path: { user_id: id } }, signal })),
  });
}
