import { createRoute } from "@tanstack/react-router";
import { orgRoute } from "../org-route";
import { Soon } from "../soon";

const knowledge = createRoute({
  getParentRoute: () => orgRoute,
  path: "knowledge",
  component: () => <Soon area="knowledge" />,
});

export const knowledgeRoutes = [knowledge];
