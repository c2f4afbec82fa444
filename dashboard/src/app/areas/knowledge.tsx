import { createRoute } from "@tanstack/react-router";
import { needs, orgRoute } from "../org-route";
import { Soon } from "../soon";

const knowledge = createRoute({
  getParentRoute: () => orgRoute,
  path: "knowledge",
  beforeLoad: needs("knowledge.read"),
  component: () => <Soon area="knowledge" />,
});

const document = createRoute({
  getParentRoute: () => orgRoute,
  path: "knowledge/documents/$document",
  beforeLoad: needs("knowledge.read"),
  component: () => <Soon area="knowledge" />,
});

export const knowledgeRoutes = [knowledge, document];
