/** The operator's console: a separate area, with no organisation in its address and no tenant's content on its pages. */
import { createRoute, lazyRouteComponent, notFound, redirect } from "@tanstack/react-router";
import { ensure } from "@/lib/session/session";
import { rootRoute } from "../root-route";
import { texts } from "../search-params";

const area = createRoute({
  getParentRoute: () => rootRoute,
  path: "operator",
  beforeLoad: async ({ location }) => {
    const session = await ensure();
    if (!session) throw redirect({ to: "/login", search: { next: location.href } });
    // Nobody else asks the server for it: each refusal would stand in the installation's log.
    if (!session.operator) throw notFound();
  },
  component: lazyRouteComponent(() => import("@/features/operator/frame"), "OperatorFrame"),
});

const under = { getParentRoute: () => area };

const orgs = createRoute({
  ...under,
  path: "/",
  component: lazyRouteComponent(() => import("@/features/operator/pages/orgs"), "OperatorOrgsPage"),
});
const org = createRoute({
  ...under,
  path: "orgs/$id",
  component: lazyRouteComponent(() => import("@/features/operator/pages/org"), "OperatorOrgPage"),
});
const people = createRoute({
  ...under,
  path: "people",
  validateSearch: (raw: Record<string, unknown>) => texts(raw, "email"),
  component: lazyRouteComponent(() => import("@/features/operator/pages/people"), "OperatorPeoplePage"),
});
const plans = createRoute({
  ...under,
  path: "plans",
  component: lazyRouteComponent(() => import("@/features/operator/pages/plans"), "OperatorPlansPage"),
});
const mails = createRoute({
  ...under,
  path: "mails",
  component: lazyRouteComponent(() => import("@/features/operator/pages/mails"), "OperatorMailsPage"),
});
const erasures = createRoute({
  ...under,
  path: "erasures",
  component: lazyRouteComponent(() => import("@/features/operator/pages/erasures"), "OperatorErasuresPage"),
});
const system = createRoute({
  ...under,
  path: "system",
  component: lazyRouteComponent(() => import("@/features/operator/pages/system"), "OperatorSystemPage"),
});

export const operatorRoutes = [area.addChildren([orgs, org, people, plans, mails, erasures, system])];
