import type { QueryClient } from "@tanstack/react-query";
import { createRootRouteWithContext } from "@tanstack/react-router";
import { Missing } from "@/components/crash";

export interface Context {
  queries: QueryClient;
}

export const rootRoute = createRootRouteWithContext<Context>()({ notFoundComponent: Missing });
