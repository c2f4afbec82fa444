import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { furnish, PLACES, settled } from "./pages.ts";
import { ADA, joined, open, token } from "./visit.ts";

/** Pages that are refused before the server is asked for anything. */
const REFUSED = "refused";

/** What a viewer can press on each page, its menus and tabs, but for its help: to look closer, and to change what is their own. */
const OFFERED: Record<string, readonly string[] | typeof REFUSED> = {
  home: [],
  ask: REFUSED,
  conversation: REFUSED,
  knowledge: ["Filters", "Search"],
  collection: [],
  document: ["Download original", "Download original: Version 1"],
  search: ["Filters", "Search"],
  embedding: REFUSED,
  members: ["Actions for …", "… Details"],
  invitations: REFUSED,
  teams: [],
  roles: [],
  why: [],
  projects: [],
  // It is not theirs to see.
  project: ["Try again"],
  keys: REFUSED,
  usage: REFUSED,
  "usage-log": REFUSED,
  budgets: REFUSED,
  limits: REFUSED,
  quota: REFUSED,
  models: REFUSED,
  providers: REFUSED,
  "model-names": REFUSED,
  audit: REFUSED,
  profile: ["Change address", "Connect", "Delete my account", "Save", "Toggle password visibility"],
  security: ["Change password", "Set up", "Toggle password visibility"],
  preferences: [],
  organisation: ["Leave"],
  "sign-in-rules": REFUSED,
  webhooks: REFUSED,
  help: [
    "API keys and programs",
    "Asking questions",
    "First steps",
    "Knowledge",
    "Models and providers",
    "Money: usage, budgets, limits",
    "People, teams and roles",
    "Security",
    "Send",
    "Show the first steps again",
    "When something does not work",
  ],
};

/** The names of what can be pressed in the content of a page, menus of the first row included. */
async function pressable(page: Page): Promise<string[]> {
  const main = page.getByRole("main");
  const names = await main
    .getByRole("button")
    .evaluateAll((all) => all.map((one) => (one.getAttribute("aria-label") ?? one.textContent ?? "").trim()));
  const menu = main.getByRole("button", { name: /^Actions for/ }).first();
  if ((await menu.count()) > 0) {
    await menu.click();
    await page.getByRole("menuitem").first().waitFor();
    names.push(...(await page.getByRole("menuitem").allTextContents()).map((item) => `… ${item}`));
    await page.keyboard.press("Escape");
    await page.getByRole("menu").waitFor({ state: "hidden" });
  }
  return (
    names
      .map((name) => name.replace(/^Actions for .*/, "Actions for …"))
      // Where else they are signed in is theirs to end.
      .filter((name) => !name.startsWith("Help: ") && !name.startsWith("End "))
  );
}

test("a viewer is offered nothing that would be refused, on any page", { timeout: 180_000 }, async () => {
  const ids = await furnish(await token(ADA), "Seen");
  // Of a project that is private they see nothing.
  const viewer = await joined("Viewer", "viewer");
  const page = await open({ as: viewer.email, refusals: [404] });
  const refused: string[] = [];
  page.on("response", (response) => {
    if (response.status() === 403) refused.push(`${response.request().method()} ${response.url()}`);
  });
  const found: typeof OFFERED = {};
  for (const { name, path } of PLACES) {
    await page.goto(`/o/acme${path(ids)}`);
    await settled(page);
    if ((await page.getByText("Your role does not allow this.").count()) > 0) {
      found[name] = REFUSED;
      continue;
    }
    const names = await pressable(page);
    for (const tab of await page.getByRole("main").getByRole("tab").all()) {
      await tab.click();
      await expect.poll(() => tab.getAttribute("aria-selected")).toBe("true");
      await settled(page);
      names.push(...(await pressable(page)));
    }
    found[name] = [...new Set(names)].sort();
    expect(await page.getByRole("main").locator('a[href*="create="], a[href*="invite="]').count(), name).toBe(0);
  }
  expect(refused).toEqual([]);
  expect(found).toEqual(OFFERED);
});
