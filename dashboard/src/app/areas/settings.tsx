import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { z } from "@/lib/schema";
import { needs, orgRoute } from "../org-route";

const settings = createRoute({
  getParentRoute: () => orgRoute,
  path: "settings",
  component: lazyRouteComponent(() => import("@/features/settings/settings-frame"), "SettingsFrame"),
});

const profile = createRoute({
  getParentRoute: () => settings,
  path: "/",
  component: lazyRouteComponent(() => import("@/features/account/pages/profile"), "ProfilePage"),
});

const security = createRoute({
  getParentRoute: () => settings,
  path: "security",
  component: lazyRouteComponent(() => import("@/features/account/pages/security"), "SecurityPage"),
});

const preferences = createRoute({
  getParentRoute: () => settings,
  path: "preferences",
  component: lazyRouteComponent(() => import("@/features/account/pages/preferences"), "PreferencesPage"),
});

const organisation = createRoute({
  getParentRoute: () => settings,
  path: "organisation",
  component: lazyRouteComponent(() => import("@/features/organisations/pages/organisation"), "OrganisationPage"),
});

const signIns = createRoute({
  getParentRoute: () => settings,
  path: "sign-in",
  beforeLoad: needs("org.security"),
  component: lazyRouteComponent(() => import("@/features/sign-ins/pages/sign-ins"), "SignInsPage"),
});

const webhooks = createRoute({
  getParentRoute: () => settings,
  path: "webhooks",
  validateSearch: z.object({
    create: z.catch(z.optional(z.boolean()), undefined),
    deliveries: z.catch(z.optional(z.string()), undefined),
  }),
  beforeLoad: needs("webhooks.read"),
  component: lazyRouteComponent(() => import("@/features/webhooks/pages/webhooks"), "WebhooksPage"),
});

export const settingsRoutes = [settings.addChildren([profile, security, preferences, organisation, signIns, webhooks])];
