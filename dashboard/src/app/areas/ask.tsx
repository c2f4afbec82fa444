import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { z } from "@/lib/schema";
import { needs, orgRoute } from "../org-route";

const ask = createRoute({
  getParentRoute: () => orgRoute,
  path: "ask",
  beforeLoad: needs("answers.use"),
  component: lazyRouteComponent(() => import("@/features/ask/pages/ask"), "AskPage"),
});

const begin = createRoute({
  getParentRoute: () => ask,
  path: "/",
  component: lazyRouteComponent(() => import("@/features/ask/pages/new-question"), "NewQuestion"),
});

const conversation = createRoute({
  getParentRoute: () => ask,
  path: "$thread",
  // The source that is open: an answer's id and the number in it.
  validateSearch: z.object({ cite: z.catch(z.optional(z.string()), undefined) }),
  component: lazyRouteComponent(() => import("@/features/ask/pages/conversation"), "Conversation"),
});

export const askRoutes = [ask.addChildren([begin, conversation])];
