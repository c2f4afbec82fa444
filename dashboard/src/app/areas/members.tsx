import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { z } from "@/lib/schema";
import { needs, orgRoute } from "../org-route";

const members = createRoute({
  getParentRoute: () => orgRoute,
  path: "members",
  validateSearch: z.object({ member: z.string().optional().catch(undefined) }),
  beforeLoad: needs("members.read"),
  component: lazyRouteComponent(() => import("@/features/members/pages/members"), "MembersPage"),
});

const invitations = createRoute({
  getParentRoute: () => orgRoute,
  path: "invitations",
  validateSearch: z.object({
    invite: z.boolean().optional().catch(undefined),
    all: z.boolean().optional().catch(undefined),
  }),
  beforeLoad: needs("invitations.read"),
  component: lazyRouteComponent(() => import("@/features/invitations/pages/invitations"), "InvitationsPage"),
});

const teams = createRoute({
  getParentRoute: () => orgRoute,
  path: "teams",
  validateSearch: z.object({ team: z.string().optional().catch(undefined) }),
  beforeLoad: needs("teams.read"),
  component: lazyRouteComponent(() => import("@/features/teams/pages/teams"), "TeamsPage"),
});

const roles = createRoute({
  getParentRoute: () => orgRoute,
  path: "roles",
  beforeLoad: needs("roles.read"),
  component: lazyRouteComponent(() => import("@/features/roles/pages/roles"), "RolesPage"),
});

// About oneself anybody may ask.
const why = createRoute({
  getParentRoute: () => orgRoute,
  path: "roles/why",
  validateSearch: z.object({
    user: z.string().optional().catch(undefined),
    permission: z.string().optional().catch(undefined),
    at: z.string().optional().catch(undefined),
  }),
  component: lazyRouteComponent(() => import("@/features/roles/pages/why"), "WhyPage"),
});

export const membersRoutes = [members, invitations, teams, roles, why];
