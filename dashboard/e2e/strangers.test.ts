import type { Page } from "playwright-core";
import { beforeAll, expect, test } from "vitest";
import { CONSOLE, furnish, type Ids, PLACES, settled } from "./pages.ts";
import { newcomer, onEmbedded, open, type Person } from "./visit.ts";

/** What stands in everything of the first organisation, and in nothing of the second. */
const MARK = "Zanzibar";

let ann: Person;
let ids: Ids;

beforeAll(async () => {
  ann = await newcomer("Ann", `${MARK} House`);
  ids = await furnish(ann.token, MARK);
});

/** Watches what a browser is answered: whatever is of the first organisation is noted. */
function overheard(page: Page): string[] {
  const heard: string[] = [];
  page.on("response", async (response) => {
    const path = new URL(response.url()).pathname;
    // A stream has no end to wait for; it tells of nouns alone.
    if (!path.startsWith("/api/") || path.endsWith("/events")) return;
    const text = await response.text().catch(() => "");
    if (text.includes(MARK)) heard.push(`${path}: ${text}`);
  });
  return heard;
}

onEmbedded("the first organisation's own addresses are no pages for a second one", { timeout: 120_000 }, async () => {
  const bob = await newcomer("Bob");
  const page = await open({ as: bob.email });
  const heard = overheard(page);
  const named: string[] = [];
  page.on("request", (request) => named.push(request.headers()["x-rowhouse-org"] ?? ""));
  for (const [at, { path }] of PLACES.entries()) {
    // What follows the organisation plays no part in who it is.
    await page.goto(`/o/${at % 2 === 0 ? ann.org.slug : ann.org.id}${path(ids)}`);
    await page.getByRole("heading", { name: "Page not found" }).waitFor();
    expect(await page.content()).not.toContain(MARK);
  }
  expect(named).not.toContain(ann.org.id);
  expect(heard).toEqual([]);
});

/** The second organisation's addresses with ids of the first in them, and whether the page is of that thing alone. */
const ASTRAY: readonly [path: (of: Ids) => string, alone: boolean][] = [
  [({ thread }) => `/ask/${thread}`, true],
  [({ thread }) => `/ask/${thread}?cite=${thread}.1`, true],
  [({ collection }) => `/knowledge/collections/${collection}`, true],
  [({ collection }) => `/knowledge/collections/${collection}?tab=sources`, true],
  [({ document }) => `/knowledge/documents/${document}`, true],
  [({ document }) => `/knowledge/documents/${document}?tab=passages`, true],
  [({ document }) => `/knowledge/documents/${document}?tab=versions&version=1`, true],
  [({ project }) => `/projects/${project}`, true],
  [({ collection }) => `/knowledge/search?q=hotel&in=${encodeURIComponent(JSON.stringify([collection]))}`, true],
  [({ user }) => `/roles/why?user=${user}&permission=keys.create`, true],
  [({ project }) => `/roles/why?permission=keys.create&at=${project}`, true],
  [({ webhook }) => `/settings/webhooks?deliveries=${webhook}`, true],
  [({ user }) => `/members?member=${user}`, true],
  [({ team }) => `/teams?team=${team}`, false],
  [({ user }) => `/audit?actor=${user}`, false],
  [({ document }) => `/audit?object=${document}`, false],
  [({ user, team, key }) => `/usage?user=${user}&team=${team}&key=${key}`, false],
  [({ user, key }) => `/usage/log?user=${user}&key=${key}`, false],
  [({ project }) => `?project=${project}`, false],
  [({ project }) => `/keys?project=${project}`, false],
  [({ project }) => `/knowledge?project=${project}`, false],
  [({ project }) => `/usage?project=${project}`, false],
];

test("ids of the first organisation lead a second one to nothing", { timeout: 120_000 }, async () => {
  const bob = await newcomer("Bobby");
  const page = await open({ as: bob.email, refusals: [400, 404, 422] });
  const heard = overheard(page);
  for (const [path, alone] of ASTRAY) {
    await page.goto(`/o/${bob.org.slug}${path(ids)}`);
    await settled(page);
    if (alone) await page.getByText("There is no such thing, or it is not yours to see.").first().waitFor();
    expect(await page.getByRole("heading", { level: 1 }).count(), path(ids)).toBe(1);
    expect(await page.content(), path(ids)).not.toContain(MARK);
  }
  expect(heard).toEqual([]);
});

onEmbedded("the operator's pages are none for owners of organisations", async () => {
  const page = await open({ as: ann.email });
  const asked: string[] = [];
  page.on("request", (request) => asked.push(new URL(request.url()).pathname));
  for (const path of [...CONSOLE.map(({ route }) => route), `/operator/orgs/${ann.org.id}`]) {
    await page.goto(path);
    await page.getByRole("heading", { name: "Page not found" }).waitFor();
  }
  expect(asked.filter((path) => path.startsWith("/api/v1/operator"))).toEqual([]);
});
