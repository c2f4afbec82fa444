import type { QueryClient } from "@tanstack/react-query";
import { createRootRouteWithContext, Outlet } from "@tanstack/react-router";
import { lazy, Suspense } from "react";
import { Missing } from "@/components/crash";
import { useWantedFactor } from "@/lib/session/step-up";

const StepUpDialog = lazy(() =>
  import("@/features/sign-in/step-up-dialog").then((module) => ({ default: module.StepUpDialog })),
);

export interface Context {
  queries: QueryClient;
}

export const rootRoute = createRootRouteWithContext<Context>()({ component: Root, notFoundComponent: Missing });

function Root() {
  const wanted = useWantedFactor();
  return (
    <>
      <Outlet />
      {wanted && (
        <Suspense fallback={null}>
          <StepUpDialog />
        </Suspense>
      )}
    </>
  );
}
