import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { orgRoute } from "../org-route";
import { texts } from "../search-params";

const help = createRoute({
  getParentRoute: () => orgRoute,
  path: "help",
  validateSearch: (raw: Record<string, unknown>) => texts(raw, "article", "q"),
  component: lazyRouteComponent(() => import("@/features/help/pages/help"), "HelpPage"),
});

export const helpRoutes = [help];
