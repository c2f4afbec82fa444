import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { needs, orgRoute } from "../org-route";

const members = createRoute({
  getParentRoute: () => orgRoute,
  path: "members",
  beforeLoad: needs("members.read"),
  component: lazyRouteComponent(() => import("@/features/members/pages/members"), "MembersPage"),
});

export const membersRoutes = [members];
