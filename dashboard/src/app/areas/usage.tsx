import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { z } from "zod";
import { needs, orgRoute } from "../org-route";

const text = z.string().optional().catch(undefined);
const whose = { user: text, team: text, key: text };
const dialog = z.object({ create: z.boolean().optional().catch(undefined) });
const bys = ["user", "team", "project", "model", "key", "operation", "outcome"] as const;

const overview = createRoute({
  getParentRoute: () => orgRoute,
  path: "usage",
  beforeLoad: needs("usage.read", "usage.all"),
  validateSearch: z.object({
    ...whose,
    month: text,
    measure: z.enum(["cost", "tokens", "requests"]).optional().catch(undefined),
    by: z.enum(bys).optional().catch(undefined),
    view: z.enum(["chart", "table"]).optional().catch(undefined),
  }),
  component: lazyRouteComponent(() => import("@/features/usage/pages/overview"), "UsagePage"),
});

const log = createRoute({
  getParentRoute: () => orgRoute,
  path: "usage/log",
  beforeLoad: needs("usage.read"),
  validateSearch: z.object({
    ...whose,
    from: text,
    until: text,
    operation: text,
    model: text,
    outcome: z.enum(["ok", "error", "cancelled", "lost"]).optional().catch(undefined),
  }),
  component: lazyRouteComponent(() => import("@/features/usage/pages/log"), "UsageLogPage"),
});

const budgets = createRoute({
  getParentRoute: () => orgRoute,
  path: "usage/budgets",
  beforeLoad: needs("budgets.read"),
  validateSearch: dialog,
  component: lazyRouteComponent(() => import("@/features/usage/pages/budgets"), "BudgetsPage"),
});

const limits = createRoute({
  getParentRoute: () => orgRoute,
  path: "usage/limits",
  beforeLoad: needs("limits.read"),
  validateSearch: dialog,
  component: lazyRouteComponent(() => import("@/features/usage/pages/limits"), "LimitsPage"),
});

const quota = createRoute({
  getParentRoute: () => orgRoute,
  path: "usage/quota",
  beforeLoad: needs("usage.read"),
  component: lazyRouteComponent(() => import("@/features/usage/pages/quota"), "QuotaPage"),
});

export const usageRoutes = [overview, log, budgets, limits, quota];
