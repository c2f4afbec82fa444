import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { z } from "@/lib/schema";
import { needs, orgRoute } from "../org-route";

const text = z.catch(z.optional(z.string()), undefined);

const audit = createRoute({
  getParentRoute: () => orgRoute,
  path: "audit",
  validateSearch: z.object({ actor: text, action: text, object: text, from: text, until: text }),
  beforeLoad: needs("audit.read"),
  component: lazyRouteComponent(() => import("@/features/audit/pages/audit"), "AuditPage"),
});

export const auditRoutes = [audit];
