import { answer, type Schemas } from "@/lib/api/client";
import { PAGE, usePages } from "@/lib/api/paging";
import { useOrg } from "@/lib/org";

export type Invitation = Schemas["Invitation"];

/** The open invitations; with `all`, those that were accepted, revoked or have ended, too. */
export function useInvitations(all: boolean) {
  const org = useOrg();
  return usePages<Invitation>([org.id, "invitations", "list", { all }], (cursor, signal) =>
    answer(org.api.GET("/api/v1/invitations", { params: { query: { cursor, limit: PAGE, all } }, signal })),
  );
}
