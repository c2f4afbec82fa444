import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { z } from "@/lib/schema";
import { needs, orgRoute } from "../org-route";

const texts = z.catch(z.optional(z.array(z.string())), undefined);
const text = z.catch(z.optional(z.string()), undefined);
const number = z.catch(z.optional(z.int().check(z.nonnegative())), undefined);

const collections = createRoute({
  getParentRoute: () => orgRoute,
  path: "knowledge",
  validateSearch: z.object({ create: z.catch(z.optional(z.boolean()), undefined) }),
  beforeLoad: needs("knowledge.read"),
  component: lazyRouteComponent(() => import("@/features/knowledge/pages/collections"), "CollectionsPage"),
});

const collection = createRoute({
  getParentRoute: () => orgRoute,
  path: "knowledge/collections/$collection",
  validateSearch: z.object({ tab: z.catch(z.optional(z.enum(["sources"])), undefined) }),
  beforeLoad: needs("knowledge.read"),
  component: lazyRouteComponent(() => import("@/features/knowledge/pages/collection"), "CollectionPage"),
});

const document = createRoute({
  getParentRoute: () => orgRoute,
  path: "knowledge/documents/$document",
  // A version, and a passage in bytes of its text: what a result of a search leads to.
  validateSearch: z.object({
    tab: z.catch(z.optional(z.enum(["text", "passages", "versions"])), undefined),
    version: number,
    from: number,
    until: number,
  }),
  beforeLoad: needs("knowledge.read"),
  component: lazyRouteComponent(() => import("@/features/knowledge/pages/document"), "DocumentPage"),
});

const search = createRoute({
  getParentRoute: () => orgRoute,
  path: "knowledge/search",
  validateSearch: z.object({
    q: text,
    in: texts,
    kinds: texts,
    tags: texts,
    sources: texts,
    since: text,
    until: text,
    why: z.catch(z.optional(z.boolean()), undefined),
  }),
  beforeLoad: needs("knowledge.read"),
  component: lazyRouteComponent(() => import("@/features/knowledge/pages/search"), "SearchPage"),
});

const embedding = createRoute({
  getParentRoute: () => orgRoute,
  path: "knowledge/embedding",
  beforeLoad: needs("providers.read"),
  component: lazyRouteComponent(() => import("@/features/knowledge/pages/embedding"), "EmbeddingPage"),
});

export const knowledgeRoutes = [collections, collection, document, search, embedding];
