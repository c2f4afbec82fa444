import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { z } from "@/lib/schema";
import { needs, orgRoute } from "../org-route";

const members = createRoute({
  getParentRoute: () => orgRoute,
  path: "members",
  validateSearch: z.object({ member: z.catch(z.optional(z.string()), undefined) }),
  beforeLoad: needs("members.read"),
  component: lazyRouteComponent(() => import("@/features/members/pages/members"), "MembersPage"),
});

const invitations = createRoute({
  getParentRoute: () => orgRoute,
  path: "invitations",
  validateSearch: z.object({
    invite: z.catch(z.optional(z.boolean()), undefined),
    all: z.catch(z.optional(z.boolean()), undefined),
  }),
  beforeLoad: needs("invitations.read"),
  component: lazyRouteComponent(() => import("@/features/invitations/pages/invitations"), "InvitationsPage"),
});

const teams = createRoute({
  getParentRoute: () => orgRoute,
  path: "teams",
  validateSearch: z.object({ team: z.catch(z.optional(z.string()), undefined) }),
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
    user: z.catch(z.optional(z.string()), undefined),
    permission: z.catch(z.optional(z.string()), undefined),
    at: z.catch(z.optional(z.string()), undefined),
  }),
  component: lazyRouteComponent(() => import("@/features/roles/pages/why"), "WhyPage"),
});

export const membersRoutes = [members, invitations, teams, roles, why];
