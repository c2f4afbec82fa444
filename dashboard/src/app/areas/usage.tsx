import { createRoute } from "@tanstack/react-router";
import { orgRoute } from "../org-route";
import { Soon } from "../soon";

const usage = createRoute({
  getParentRoute: () => orgRoute,
  path: "usage",
  component: () => <Soon area="usage" />,
});

export const usageRoutes = [usage];
