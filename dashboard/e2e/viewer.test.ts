import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { furnish, PLACES, settled } from "./pages.ts";
import { ADA, DAN, open, token } from "./visit.ts";

/** Where the one who looks is their own master: their name, their password, their settings. */
const OWN = ["profile", "security", "preferences"];
/** What a page may offer to anybody: to look closer, to go on, to choose what is shown. */
const HARMLESS =
  /^(Help: |Actions for |Details|Show|Hide|Search$|Filters$|Check again$|CSV$|Export$|Next page|Previous page|Download original|Copy|Try again|Send$|Skip$|I have done this$|Do not show again$|Save the name$|Add knowledge|Name the organisation|Ask the first|Invite a|Make an)/;

/** The names of what can be pressed in the content of a page. */
async function offered(page: Page): Promise<string[]> {
  const buttons = page.locator("main").getByRole("button");
  const links = page.locator("main").getByRole("link");
  const named = async (each: typeof buttons) =>
    Promise.all(
      (await each.all()).map((one) => one.evaluate((it) => it.getAttribute("aria-label") ?? it.textContent ?? "")),
    );
  return [...(await named(buttons)), ...(await named(links))].map((name) => name.trim());
}

test("a viewer is offered nothing that would be refused, on any page", { timeout: 180_000 }, async () => {
  const ids = await furnish(await token(ADA), "Seen");
  const page = await open({ as: DAN, refusals: [404] });
  const refused: string[] = [];
  page.on("response", (response) => {
    if (response.status() === 403) refused.push(`${response.request().method()} ${response.url()}`);
  });
  const found: Record<string, string[]> = {};
  for (const { name, path } of PLACES) {
    await page.goto(`/o/acme${path(ids)}`);
    await page.locator("main").getByRole("heading", { level: 1 }).or(page.getByRole("alert")).first().waitFor();
    if ((await page.getByText("Your role does not allow this.").count()) > 0) {
      found[name] = ["(refused)"];
      continue;
    }
    await settled(page);
    const names = new Set(await offered(page));
    for (const tab of await page.locator("main").getByRole("tab").all()) {
      await tab.click();
      await settled(page);
      for (const each of await offered(page)) names.add(each);
    }
    const menus = page.locator("main").getByRole("button", { name: /^Actions for/ });
    if ((await menus.count()) > 0) {
      await menus.first().click();
      await page.getByRole("menuitem").first().waitFor();
      for (const item of await page.getByRole("menuitem").allTextContents()) names.add(`… ${item}`);
      await page.keyboard.press("Escape");
    }
    found[name] = [...names];
  }
  expect(refused).toEqual([]);
  expect(found).toEqual({});
  void OWN;
  void HARMLESS;
});
