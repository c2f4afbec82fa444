import { createRoute } from "@tanstack/react-router";
import { orgRoute } from "../org-route";
import { Soon } from "../soon";

const audit = createRoute({
  getParentRoute: () => orgRoute,
  path: "audit",
  component: () => <Soon area="audit" />,
});

export const auditRoutes = [audit];
