import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { needs, orgRoute } from "../org-route";
import { dialog } from "../search-params";

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
