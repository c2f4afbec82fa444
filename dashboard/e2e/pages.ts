/** Every address of the dashboard, and an organisation in which each of them has something to show. */
import type { Page } from "playwright-core";
import { expect } from "vitest";
import { anew, call } from "./visit.ts";

/** The ids that stand in addresses. */
export interface Ids {
  collection: string;
  document: string;
  thread: string;
  project: string;
  team: string;
  key: string;
  webhook: string;
  user: string;
}

/** A page inside an organisation. */
export interface Place {
  /** As the router knows it. */
  route: string;
  /** What its picture is called. */
  name: string;
  /** The path after the organisation, with what follows the question mark. */
  path: (ids: Ids) => string;
  /** The request that brings its main list, as a pattern; where there is none the page has nothing to wait for. */
  asks?: string;
}

const fixed = (path: string) => () => path;

export const PLACES: readonly Place[] = [
  { route: "/", name: "home", path: fixed(""), asks: "/usage/summary" },
  { route: "/ask", name: "ask", path: fixed("/ask"), asks: "/threads" },
  { route: "/ask/$thread", name: "conversation", path: ({ thread }) => `/ask/${thread}`, asks: "/threads/*/messages" },
  { route: "/knowledge", name: "knowledge", path: fixed("/knowledge"), asks: "/collections" },
  {
    route: "/knowledge/collections/$collection",
    name: "collection",
    path: ({ collection }) => `/knowledge/collections/${collection}`,
    asks: "/collections/*/documents",
  },
  {
    route: "/knowledge/documents/$document",
    name: "document",
    path: ({ document }) => `/knowledge/documents/${document}`,
    asks: "/documents/*",
  },
  { route: "/knowledge/search", name: "search", path: fixed("/knowledge/search?q=hotel"), asks: "/search" },
  {
    route: "/knowledge/embedding",
    name: "embedding",
    path: fixed("/knowledge/embedding"),
    asks: "/knowledge/embedding",
  },
  { route: "/members", name: "members", path: fixed("/members"), asks: "/members" },
  { route: "/invitations", name: "invitations", path: fixed("/invitations"), asks: "/invitations" },
  { route: "/teams", name: "teams", path: ({ team }) => `/teams?team=${team}`, asks: "/teams" },
  { route: "/roles", name: "roles", path: fixed("/roles"), asks: "/roles" },
  {
    route: "/roles/why",
    name: "why",
    path: ({ user }) => `/roles/why?user=${user}&permission=keys.create`,
    asks: "/access/explain",
  },
  { route: "/projects", name: "projects", path: fixed("/projects"), asks: "/projects" },
  { route: "/projects/$id", name: "project", path: ({ project }) => `/projects/${project}`, asks: "/projects/*" },
  { route: "/keys", name: "keys", path: fixed("/keys"), asks: "/auth/api-keys" },
  { route: "/usage", name: "usage", path: fixed("/usage"), asks: "/usage/summary" },
  { route: "/usage/log", name: "usage-log", path: fixed("/usage/log"), asks: "/usage/logs" },
  { route: "/usage/budgets", name: "budgets", path: fixed("/usage/budgets"), asks: "/budgets" },
  { route: "/usage/limits", name: "limits", path: fixed("/usage/limits"), asks: "/limits" },
  { route: "/usage/quota", name: "quota", path: fixed("/usage/quota"), asks: "/usage/quota" },
  { route: "/models", name: "models", path: fixed("/models"), asks: "/models" },
  { route: "/models/providers", name: "providers", path: fixed("/models/providers"), asks: "/providers" },
  { route: "/models/names", name: "model-names", path: fixed("/models/names"), asks: "/models/aliases" },
  { route: "/audit", name: "audit", path: fixed("/audit"), asks: "/audit" },
  { route: "/settings/", name: "profile", path: fixed("/settings"), asks: "/user/profile" },
  { route: "/settings/security", name: "security", path: fixed("/settings/security"), asks: "/auth/sessions" },
  { route: "/settings/preferences", name: "preferences", path: fixed("/settings/preferences"), asks: "/user/config" },
  { route: "/settings/organisation", name: "organisation", path: fixed("/settings/organisation"), asks: "/orgs/*" },
  { route: "/settings/sign-in", name: "sign-in-rules", path: fixed("/settings/sign-in"), asks: "/mail-domains" },
  { route: "/settings/webhooks", name: "webhooks", path: fixed("/settings/webhooks"), asks: "/webhooks" },
  { route: "/help", name: "help", path: fixed("/help") },
];

/** Pages outside of organisations, for who is not signed in. */
export const DOORS: readonly string[] = [
  "/login",
  "/signup",
  "/forgot-password",
  "/reset-password",
  "/verify-email",
  "/confirm-email",
  "/undo-email",
  "/keep-account",
  "/invitations/confirm",
  "/mail-domains/confirm",
  "/invitations/accept",
];

/** The operator's pages. */
export const CONSOLE: readonly Place[] = [
  { route: "/operator/", name: "operator-orgs", path: fixed("/operator"), asks: "/operator/orgs" },
  {
    route: "/operator/people",
    name: "operator-people",
    path: fixed("/operator/people?email=ada"),
    asks: "/operator/people",
  },
  { route: "/operator/plans", name: "operator-plans", path: fixed("/operator/plans"), asks: "/operator/plans" },
  { route: "/operator/mails", name: "operator-mails", path: fixed("/operator/mails"), asks: "/operator/mails" },
  {
    route: "/operator/erasures",
    name: "operator-erasures",
    path: fixed("/operator/erasures"),
    asks: "/operator/erasures",
  },
  { route: "/operator/system", name: "operator-system", path: fixed("/operator/system"), asks: "/operator/system" },
];

/**
 * Puts one of each thing into somebody's organisation. `word` stands in whatever people name or write, so that a test can look for it
 * where it must not be.
 */
export async function furnish(token: string, word: string): Promise<Ids> {
  const mark = anew(word);
  const me = await call("GET", "/api/v1/auth/me", token);
  const project = await call("POST", "/api/v1/projects", token, { name: `${mark} project` });
  const team = await call("POST", "/api/v1/teams", token, { name: `${mark} team` });
  const key = await call("POST", "/api/v1/auth/api-keys", token, { name: `${mark} key` });
  const collection = await call("POST", "/api/v1/collections", token, { name: `${mark} shelf`, access: "project" });
  const { document } = await call("POST", `/api/v1/collections/${collection.id}/documents/text`, token, {
    title: `${mark} travel policy`,
    text: `# ${mark}\n\nA hotel may cost at most 140 euros a night; in Zürich 220 euros.\n\nReceipts are handed in within 30 days.`,
    tags: ["travel"],
  });
  const thread = await call("POST", "/api/v1/threads", token, { title: `${mark} question` });
  await call("POST", `/api/v1/threads/${thread.id}/messages`, token, { content: `How much is a hotel in ${mark}?` });
  await call("POST", "/api/v1/invitations", token, { email: `${mark.toLowerCase()}@example.com`, role: "viewer" });
  await call("POST", "/api/v1/budgets", token, {
    level: "team",
    id: team.id,
    period: "month",
    amount_micros: 25_000_000,
    currency: "USD",
    kind: "hard",
  });
  await call("POST", "/api/v1/limits", token, { level: "project", id: project.id, requests_per_minute: 60 });
  const webhook = await call("POST", "/api/v1/webhooks", token, {
    url: `https://hooks.invalid/${mark}`,
    events: ["budget.threshold"],
  });
  return {
    collection: collection.id,
    document: document.id,
    thread: thread.id,
    project: project.id,
    team: team.id,
    key: key.id,
    webhook: webhook.id,
    user: me.user.id,
  };
}

/** What stands where something is still on its way. */
const ON_ITS_WAY = '[aria-busy="true"], [role="status"][aria-label="Loading"], .mantine-Skeleton-root';

/** Waits until a page shows what it has to show. */
export async function settled(page: Page) {
  await page.getByRole("heading", { level: 1 }).or(page.getByRole("alert")).first().waitFor();
  await expect.poll(() => page.locator(ON_ITS_WAY).count(), { timeout: 20_000, interval: 50 }).toBe(0);
}

/** Waits until a page shows that something is on its way. */
export async function waiting(page: Page) {
  await page.locator(ON_ITS_WAY).first().waitFor();
}
