/** Who the person is and what they may do, at an organisation. */
import { type QueryClient, queryOptions } from "@tanstack/react-query";
import { answer, api, orgApi, type Schemas } from "@/lib/api/client";
import { findOrg } from "@/lib/org";

/** What the person may do at an organisation; without one, at the one they worked in last. */
export function meQuery(org?: string) {
  return queryOptions({
    queryKey: org === undefined ? ["me"] : [org, "me"],
    queryFn: ({ signal }) => answer((org === undefined ? api : orgApi(org)).GET("/api/v1/auth/me", { signal })),
    staleTime: 30_000,
  });
}

/** The person at the organisation that an address names; `null` when the address names none of theirs. */
export async function meAt(
  address: string,
  queries: QueryClient,
): Promise<{ me: Schemas["Me"]; of: Schemas["Belongs"] } | null> {
  let base = await queries.ensureQueryData(meQuery());
  // Somebody may have joined since this was asked.
  if (!findOrg(address, base.organizations)) base = await queries.fetchQuery({ ...meQuery(), staleTime: 0 });
  const of = findOrg(address, base.organizations);
  if (!of) return null;
  if (base.organization?.id === of.id) {
    const known = queries.getQueryData(meQuery(of.id).queryKey);
    if (!known) queries.setQueryData(meQuery(of.id).queryKey, base);
  }
  return { me: await queries.ensureQueryData(meQuery(of.id)), of };
}
