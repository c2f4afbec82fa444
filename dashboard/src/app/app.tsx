/** What stands around all pages. */
import { MantineProvider } from "@mantine/core";
import { MutationCache, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { lazy, Suspense, useMemo } from "react";
import { ApiError } from "@/lib/api/error";
import { whenExpired } from "@/lib/api/send";
import { useWantedFactor } from "@/lib/session/step-up";
import { styleNonce } from "@/lib/style-nonce";
import { themeFor } from "@/lib/theme";
import { failed } from "@/lib/toast";
import { useLanguage } from "@/lib/words/words";
import { makeRouter } from "./router";

declare module "@tanstack/react-query" {
  interface Register {
    /** `quiet`: who sends this shows its error themselves. */
    mutationMeta: { quiet?: boolean };
  }
}

// Nothing is told before the first page stands.
const Notifications = lazy(() =>
  import("@mantine/notifications").then((module) => ({ default: module.Notifications })),
);

// Few are ever asked.
const StepUpDialog = lazy(() =>
  import("@/features/sign-in/step-up-dialog").then((module) => ({ default: module.StepUpDialog })),
);

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      // What was refused is refused again; what did not arrive, or found the server busy, is asked for twice more.
      retry: (count, error) => count < 2 && (!(error instanceof ApiError) || error.status === 0 || error.status >= 502),
    },
    // A form shows its own errors; a change that is sent twice is a matter for `send`.
    mutations: { retry: false },
  },
  mutationCache: new MutationCache({
    onError: (error, _variables, _result, mutation) => {
      if (!mutation.meta?.quiet) failed(error);
    },
  }),
});

const router = makeRouter(queries);

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}

whenExpired(() => {
  const { pathname, searchStr, hash } = router.state.location;
  if (pathname === "/login") return;
  void router.navigate({
    to: "/login",
    search: { next: `${pathname}${searchStr}${hash ? `#${hash}` : ""}`, expired: true },
  });
});

export function App() {
  const language = useLanguage();
  const theme = useMemo(() => themeFor(language), [language]);
  return (
    <QueryClientProvider client={queries}>
      <MantineProvider theme={theme} defaultColorScheme="auto" getStyleNonce={styleNonce}>
        <RouterProvider router={router} />
        <Suspense fallback={null}>
          <Notifications position="bottom-right" />
        </Suspense>
        <Factor />
      </MantineProvider>
    </QueryClientProvider>
  );
}

/** Asks for a fresh factor. No part of any page: a page may wait for it before it is there. */
function Factor() {
  const wanted = useWantedFactor();
  return (
    wanted && (
      <Suspense fallback={null}>
        <StepUpDialog />
      </Suspense>
    )
  );
}
