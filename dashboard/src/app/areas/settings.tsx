import { createRoute } from "@tanstack/react-router";
import { orgRoute } from "../org-route";
import { Soon } from "../soon";

const settings = createRoute({
  getParentRoute: () => orgRoute,
  path: "settings",
  component: () => <Soon area="settings" />,
});

export const settingsRoutes = [settings];
