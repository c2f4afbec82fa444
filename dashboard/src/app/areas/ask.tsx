import { createRoute } from "@tanstack/react-router";
import { orgRoute } from "../org-route";
import { Soon } from "../soon";

const ask = createRoute({
  getParentRoute: () => orgRoute,
  path: "ask",
  component: () => <Soon area="ask" />,
});

export const askRoutes = [ask];
