import { createRoute } from "@tanstack/react-router";
import { orgRoute } from "../org-route";
import { Soon } from "../soon";

const models = createRoute({
  getParentRoute: () => orgRoute,
  path: "models",
  component: () => <Soon area="models" />,
});

export const modelsRoutes = [models];
