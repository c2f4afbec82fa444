import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { needs, orgRoute } from "../org-route";

const keys = createRoute({
  getParentRoute: () => orgRoute,
  path: "keys",
  // The dialog is part of the address: whoever must sign in meanwhile comes back to it open, with what they had typed.
  validateSearch: (raw: Record<string, unknown>): { create?: boolean } => (raw.create === true ? { create: true } : {}),
  beforeLoad: needs("keys.create", "keys.manage"),
  component: lazyRouteComponent(() => import("@/features/keys/pages/keys"), "KeysPage"),
});

export const keysRoutes = [keys];
