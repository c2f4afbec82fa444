import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { z } from "zod";
import { orgRoute } from "../org-route";

const keys = createRoute({
  getParentRoute: () => orgRoute,
  path: "keys",
  // The dialog is part of the address: whoever must sign in meanwhile comes back to it open, with what they had typed.
  validateSearch: z.object({ create: z.boolean().optional().catch(undefined) }),
  component: lazyRouteComponent(() => import("@/features/keys/pages/keys"), "KeysPage"),
});

export const keysRoutes = [keys];
