/** The first address: to the organisation that the person worked in last, or to making one. */
import { createRoute, lazyRouteComponent, redirect } from "@tanstack/react-router";
import { addressOf } from "@/lib/org";
import { meQuery } from "@/lib/session/me";
import { ensure } from "@/lib/session/session";
import { rootRoute } from "../root-route";

const start = createRoute({
  getParentRoute: () => rootRoute,
  path: "/",
  beforeLoad: async ({ context }) => {
    if (!(await ensure())) throw redirect({ to: "/login" });
    const me = await context.queries.fetchQuery({ ...meQuery(), staleTime: 0 });
    const org = me.organization ?? me.organizations[0];
    if (!org) throw redirect({ to: "/welcome" });
    throw redirect({ to: "/o/$org", params: { org: addressOf(org, me.organizations) } });
  },
});

const welcome = createRoute({
  getParentRoute: () => rootRoute,
  path: "welcome",
  beforeLoad: async () => {
    if (!(await ensure())) throw redirect({ to: "/login", search: { next: "/welcome" } });
  },
  component: lazyRouteComponent(() => import("@/features/organisations/pages/new-organisation"), "NewOrganisationPage"),
});

export const startRoutes = [start, welcome];
