import { createRoute } from "@tanstack/react-router";
import { orgRoute } from "../org-route";
import { Soon } from "../soon";

const home = createRoute({
  getParentRoute: () => orgRoute,
  path: "/",
  component: () => <Soon area="home" />,
});

export const homeRoutes = [home];
