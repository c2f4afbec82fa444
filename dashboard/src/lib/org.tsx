/** The organisation that a page is about. It comes from the page's address and nowhere else. */
import { createContext, type ReactNode, use, useMemo } from "react";
import { type Api, orgApi, type Permission, type Schemas } from "@/lib/api/client";

/** An organisation with what the person who looks at it may do there. */
export interface Org {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly plan: string;
  readonly status: Schemas["OrgStatus"];
  readonly role: string;
  readonly personal: boolean;
  /** What stands for it in addresses. */
  readonly address: string;
  readonly person: Schemas["User"];
  /** All organisations of the person, this one among them. */
  readonly siblings: readonly Schemas["Belongs"][];
  /** Whether the person may do something here, or at a team or project of it, by its id. What is refused is not offered. */
  readonly can: (permission: Permission, at?: string | null) => boolean;
  /** Whether they may do it here or at any team or project: what a page asks that shows what is at all of them. */
  readonly canSomewhere: (permission: Permission) => boolean;
  /** The projects, by their ids, at which they may do more than everywhere. */
  readonly moreAt: readonly string[];
  readonly api: Api;
}

/** What stands for an organisation in an address: its short name, or its id where another of the person's has the same short name. */
export function addressOf(
  org: { id: string; slug: string },
  siblings: readonly { id: string; slug: string }[],
): string {
  return siblings.some((other) => other.slug === org.slug && other.id !== org.id) ? org.id : org.slug;
}

/** The organisation that an address names, among those of the person. */
export function findOrg(address: string, mine: readonly Schemas["Belongs"][]): Schemas["Belongs"] | undefined {
  return mine.find((org) => org.id === address || addressOf(org, mine) === address);
}

/** What somebody may do somewhere: in the organisation, or at a team or project of it. */
export function heldSomewhere(me: Schemas["Me"]): ReadonlySet<Permission> {
  return new Set([me, ...me.more.teams, ...me.more.projects].flatMap(({ permissions }) => permissions));
}

const Current = createContext<Org | null>(null);

export function OrgProvider({ me, of, children }: { me: Schemas["Me"]; of: Schemas["Belongs"]; children: ReactNode }) {
  const org = useMemo<Org>(() => {
    const held = new Set<Permission>(me.permissions);
    const more = new Map([...me.more.teams, ...me.more.projects].map((at) => [at.id, new Set(at.permissions)]));
    const anywhere = heldSomewhere(me);
    return {
      ...of,
      address: addressOf(of, me.organizations),
      person: me.user,
      siblings: me.organizations,
      can: (permission, at) => held.has(permission) || (at ? (more.get(at)?.has(permission) ?? false) : false),
      canSomewhere: (permission) => anywhere.has(permission),
      moreAt: me.more.projects.map(({ id }) => id),
      api: orgApi(of.id),
    };
  }, [me, of]);
  return <Current value={org}>{children}</Current>;
}

/** The organisation of this page. */
export function useOrg(): Org {
  const org = use(Current);
  if (!org) throw new Error("useOrg is for pages inside an organisation");
  return org;
}
