import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { z } from "zod";
import { needs, orgRoute } from "../org-route";

const dialog = z.object({ create: z.boolean().optional().catch(undefined) });

const models = createRoute({
  getParentRoute: () => orgRoute,
  path: "models",
  beforeLoad: needs("models.use", "providers.read"),
  component: lazyRouteComponent(() => import("@/features/models/pages/models"), "ModelsPage"),
});

const providers = createRoute({
  getParentRoute: () => orgRoute,
  path: "models/providers",
  validateSearch: dialog,
  beforeLoad: needs("providers.read"),
  component: lazyRouteComponent(() => import("@/features/models/pages/providers"), "ProvidersPage"),
});

const names = createRoute({
  getParentRoute: () => orgRoute,
  path: "models/names",
  validateSearch: dialog,
  beforeLoad: needs("providers.read"),
  component: lazyRouteComponent(() => import("@/features/models/pages/names"), "ModelNamesPage"),
});

export const modelsRoutes = [models, providers, names];
