import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { orgRoute } from "../org-route";

const members = createRoute({
  getParentRoute: () => orgRoute,
  path: "members",
  component: lazyRouteComponent(() => import("@/features/members/pages/members"), "MembersPage"),
});

export const membersRoutes = [members];
