import { answer, type Schemas } from "@/lib/api/client";
import { PAGE, usePages } from "@/lib/api/paging";
import { useOrg } from "@/lib/org";

export type TeamMember = Schemas["TeamMember"];

/** Who is in a team. */
export function useTeamMembers(id: string) {
  const org = useOrg();
  return usePages<TeamMember>([org.id, "teams", id, "members"], (cursor, signal) =>
    answer(
      org.api.GET("/api/v1/teams/{id}/members", { params: { path: { id }, query: { cursor, limit: PAGE } }, signal }),
    ),
  );
}
