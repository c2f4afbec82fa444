/** Everything inside an organisation. Its address names it: `/o/acme/...`; two tabs may be at two organisations. */
import { createRoute, lazyRouteComponent, notFound, redirect, retainSearchParams } from "@tanstack/react-router";
import type { Permission, Schemas } from "@/lib/api/client";
import { ApiError } from "@/lib/api/error";
import { heldSomewhere } from "@/lib/org";
import { meAt } from "@/lib/session/me";
import { ensure } from "@/lib/session/session";
import { rootRoute } from "./root-route";

export const orgRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "o/$org",
  // The project goes along from page to page (`lib/project.ts`).
  validateSearch: (raw: Record<string, unknown>): { project?: string } =>
    typeof raw.project === "string" ? { project: raw.project } : {},
  search: { middlewares: [retainSearchParams(["project"])] },
  beforeLoad: async ({ context, location, params }) => {
    if (!(await ensure())) throw redirect({ to: "/login", search: { next: location.href } });
    // Of what is known already; the frame keeps it up to date.
    const found = await meAt(params.org, context.queries);
    if (!found) throw notFound();
    return found;
  },
  component: lazyRouteComponent(() => import("./frame/frame"), "Frame"),
});

/** For a page's `beforeLoad`: lets those in who may do one of these things, and tells the others so without asking the server. */
export function needs(...permissions: Permission[]) {
  return ({ context }: { context: { me: Schemas["Me"] } }) => {
    const held = heldSomewhere(context.me);
    if (permissions.some((permission) => held.has(permission))) return;
    throw new ApiError(
      403,
      "forbidden",
      "Your role does not allow this. An owner or admin of the organisation can change that.",
    );
  };
}
