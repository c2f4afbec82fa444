/** Everything inside an organisation. Its address names it: `/o/acme/...`; two tabs may be at two organisations. */
import { createRoute, lazyRouteComponent, notFound, redirect, retainSearchParams } from "@tanstack/react-router";
import { z } from "zod";
import { meAt } from "@/lib/session/me";
import { ensure } from "@/lib/session/session";
import { rootRoute } from "./root-route";

export const orgRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "o/$org",
  // The project goes along from page to page (`lib/project.ts`).
  validateSearch: z.object({ project: z.string().optional().catch(undefined) }),
  search: { middlewares: [retainSearchParams(["project"])] },
  beforeLoad: async ({ location }) => {
    if (!(await ensure())) throw redirect({ to: "/login", search: { next: location.href } });
  },
  loader: async ({ context, params }) => {
    const found = await meAt(params.org, context.queries);
    if (!found) throw notFound();
    return found;
  },
  // What somebody may do is read anew by the query behind it, not by each change of page.
  staleTime: 30_000,
  component: lazyRouteComponent(() => import("./frame/frame"), "Frame"),
});
