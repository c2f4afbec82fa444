import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { z } from "@/lib/schema";
import { needs, orgRoute } from "../org-route";

const projects = createRoute({
  getParentRoute: () => orgRoute,
  path: "projects",
  validateSearch: z.object({
    create: z.catch(z.optional(z.boolean()), undefined),
    archived: z.catch(z.optional(z.boolean()), undefined),
  }),
  beforeLoad: needs("projects.read"),
  component: lazyRouteComponent(() => import("@/features/projects/pages/projects"), "ProjectsPage"),
});

const project = createRoute({
  getParentRoute: () => orgRoute,
  path: "projects/$id",
  beforeLoad: needs("projects.read"),
  component: lazyRouteComponent(() => import("@/features/projects/pages/project"), "ProjectPage"),
});

export const projectsRoutes = [projects, project];
