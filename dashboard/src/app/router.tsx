/** All addresses. Each area keeps its own in `areas/`; how they begin is known to the server, too (`server/src/dashboard/answer.rs`). */
import type { QueryClient } from "@tanstack/react-query";
import { createRouter } from "@tanstack/react-router";
import { Crash, Missing } from "@/components/crash";
import { askRoutes } from "./areas/ask";
import { auditRoutes } from "./areas/audit";
import { helpRoutes } from "./areas/help";
import { homeRoutes } from "./areas/home";
import { keysRoutes } from "./areas/keys";
import { knowledgeRoutes } from "./areas/knowledge";
import { membersRoutes } from "./areas/members";
import { modelsRoutes } from "./areas/models";
import { operatorRoutes } from "./areas/operator";
import { projectsRoutes } from "./areas/projects";
import { settingsRoutes } from "./areas/settings";
import { signInRoutes } from "./areas/sign-in";
import { startRoutes } from "./areas/start";
import { usageRoutes } from "./areas/usage";
import { orgRoute } from "./org-route";
import { rootRoute } from "./root-route";

const tree = rootRoute.addChildren([
  ...startRoutes,
  ...signInRoutes,
  ...operatorRoutes,
  orgRoute.addChildren([
    ...homeRoutes,
    ...askRoutes,
    ...knowledgeRoutes,
    ...membersRoutes,
    ...projectsRoutes,
    ...keysRoutes,
    ...usageRoutes,
    ...modelsRoutes,
    ...auditRoutes,
    ...settingsRoutes,
    ...helpRoutes,
  ]),
]);

export function makeRouter(queries: QueryClient) {
  return createRouter({
    routeTree: tree,
    context: { queries },
    // A page's code is there before it is clicked on.
    defaultPreload: "intent",
    defaultPreloadStaleTime: 0,
    defaultPendingMs: 300,
    scrollRestoration: true,
    defaultNotFoundComponent: Missing,
    defaultErrorComponent: ({ error }) => <Crash error={error} />,
  });
}
