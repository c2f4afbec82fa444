import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { orgRoute } from "../org-route";

const home = createRoute({
  getParentRoute: () => orgRoute,
  path: "/",
  component: lazyRouteComponent(() => import("@/features/home/pages/home"), "HomePage"),
});

export const homeRoutes = [home];
