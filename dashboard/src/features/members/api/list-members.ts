import { answer, type Schemas } from "@/lib/api/client";
import { PAGE, usePages } from "@/lib/api/paging";
import { type Org, useOrg } from "@/lib/org";

export type Member = Schemas["Member"];

/** Everything that is known of an organisation's members is known under this. */
export function membersKey(org: Org) {
  return [org.id, "members"] as const;
}

/** Who belongs to the organisation. */
export function useMembers() {
  const org = useOrg();
  return usePages<Member>([...membersKey(org), "list"], (cursor, signal) =>
    answer(org.api.GET("/api/v1/members", { params: { query: { cursor, limit: PAGE } }, signal })),
  );
}
