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
  /** Whether the person may do something here. What is refused is not offered. */
  readonly can: (permission: Permission) => boolean;
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

const Current = createContext<Org | null>(null);

export function OrgProvider({ me, of, children }: { me: Schemas["Me"]; of: Schemas["Belongs"]; children: ReactNode }) {
  const org = useMemo<Org>(() => {
    const held = new Set<Permission>(me.permissions);
    return {
      ...of,
      address: addressOf(of, me.organizations),
      person: me.user,
      siblings: me.organizations,
      can: (permission) => held.has(permission),
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
