import type { Page, Route } from "playwright-core";
import { expect, test } from "vitest";
import { CONSOLE, furnish, PLACES, type Place, settled, waiting } from "./pages.ts";
import { ADA, open, operator, token } from "./visit.ts";

/** How many pages are tried beside each other: most of the time of each is waiting. */
const BESIDE = 3;

/** Whether a request is the one that brings a page's main list. */
function isMain(asks: string): (url: URL) => boolean {
  const pattern = new RegExp(`^/api/v1${asks.replaceAll("*", "[^/]+")}$`);
  return ({ pathname }) => pattern.test(pathname);
}

/**
 * Opens a page whose main answer is slow, then fails, then is cut off, and gives what it did not do: show that something is on its way,
 * say what went wrong, try again, and show what it has to show in the end.
 */
async function tried(page: Page, { name, asks }: { name: string; asks: string }, path: string): Promise<string[]> {
  const wrong: string[] = [];
  const step = (what: string, done: Promise<unknown>) =>
    done.catch((error: Error) => wrong.push(`${name}: ${what}: ${error.message.split("\n")[0]}`));
  const alert = page.getByRole("main").getByRole("alert");
  const again = alert.getByRole("button", { name: "Try again" }).first();
  let answer: (route: Route) => Promise<void>;
  const main = isMain(asks);
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  answer = async (route) => {
    await held;
    await route.fulfill({
      status: 500,
      json: { error: { type: "internal", code: "internal", message: "no", request_id: "req_of_a_test" } },
    });
  };
  await page.route(
    (url) => main(url),
    (route) => answer(route).catch(() => {}),
  );
  await page.goto(path);
  await step("slow", waiting(page));
  release();
  await step("failing", alert.getByText("Something went wrong on the server.").first().waitFor());
  answer = (route) => route.abort("connectionreset");
  await step("again", again.click());
  await step("cut off", alert.getByText("The server cannot be reached.").first().waitFor());
  answer = (route) => route.continue();
  await step("once more", again.click());
  await step("content", alert.first().waitFor({ state: "hidden" }));
  await step("content", settled(page));
  await page.unrouteAll({ behavior: "ignoreErrors" });
  return wrong;
}

async function tryAll(as: string, places: readonly Place[], at: (place: Place) => string): Promise<string[]> {
  const wrong: string[] = [];
  const left = places.flatMap((place) => (place.asks ? [{ place, name: place.name, asks: place.asks }] : []));
  const one = async () => {
    const page = await open({ as, refusals: [500], cuts: true });
    for (let next = left.shift(); next; next = left.shift()) wrong.push(...(await tried(page, next, at(next.place))));
  };
  await Promise.all(Array.from({ length: BESIDE }, one));
  return wrong;
}

test("each page says what is on its way, what failed, and tries again", { timeout: 240_000 }, async () => {
  const ids = await furnish(await token(ADA), "Troubled");
  expect(await tryAll(ADA, PLACES, ({ path }) => `/o/acme${path(ids)}`)).toEqual([]);
});

test("so does each page of the operator's console", { timeout: 120_000 }, async () => {
  expect(await tryAll(operator("trouble"), CONSOLE, ({ route }) => route)).toEqual([]);
});
