import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { z } from "zod";
import { orgRoute } from "../org-route";

const text = z.string().optional().catch(undefined);
const whose = { user: text, team: text, key: text };
const dialog = z.object({ create: z.boolean().optional().catch(undefined) });
const bys = ["user", "team", "project", "model", "key", "operation", "outcome"] as const;

const overview = createRoute({
  getParentRoute: () => orgRoute,
  path: "usage",
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
  validateSearch: dialog,
  component: lazyRouteComponent(() => import("@/features/usage/pages/budgets"), "BudgetsPage"),
});

const limits = createRoute({
  getParentRoute: () => orgRoute,
  path: "usage/limits",
  validateSearch: dialog,
  component: lazyRouteComponent(() => import("@/features/usage/pages/limits"), "LimitsPage"),
});

const quota = createRoute({
  getParentRoute: () => orgRoute,
  path: "usage/quota",
  component: lazyRouteComponent(() => import("@/features/usage/pages/quota"), "QuotaPage"),
});

export const usageRoutes = [overview, log, budgets, limits, quota];
