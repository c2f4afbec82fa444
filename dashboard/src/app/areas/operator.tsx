/** The operator's console: a separate area, with no organisation in its address and no tenant's content on its pages. */
import { createRoute, redirect } from "@tanstack/react-router";
import { Missing } from "@/components/crash";
import { ensure } from "@/lib/session/session";
import { rootRoute } from "../root-route";

const operator = createRoute({
  getParentRoute: () => rootRoute,
  path: "operator",
  beforeLoad: async () => {
    if (!(await ensure())) throw redirect({ to: "/login", search: { next: "/operator" } });
  },
  component: Missing,
});

export const operatorRoutes = [operator];
