import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { needs, orgRoute } from "../org-route";
import { choice, dialog, texts } from "../search-params";

const bys = ["user", "team", "project", "model", "key", "operation", "outcome"] as const;

const overview = createRoute({
  getParentRoute: () => orgRoute,
  path: "usage",
  beforeLoad: needs("usage.read", "usage.all"),
  validateSearch: (raw: Record<string, unknown>) => ({
    ...texts(raw, "user", "team", "key", "month"),
    ...choice(raw, "measure", ["cost", "tokens", "requests"]),
    ...choice(raw, "by", bys),
    ...choice(raw, "view", ["chart", "table"]),
  }),
  component: lazyRouteComponent(() => import("@/features/usage/pages/overview"), "UsagePage"),
});

const log = createRoute({
  getParentRoute: () => orgRoute,
  path: "usage/log",
  beforeLoad: needs("usage.read"),
  validateSearch: (raw: Record<string, unknown>) => ({
    ...texts(raw, "user", "team", "key", "from", "until", "operation", "model"),
    ...choice(raw, "outcome", ["ok", "error", "cancelled", "lost"]),
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
