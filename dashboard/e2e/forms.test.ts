import type { Locator, Page } from "playwright-core";
import { expect, test } from "vitest";
import { furnish, type Ids } from "./pages.ts";
import { newcomer, open, signIn } from "./visit.ts";

/** Markup, an emoji, and text from right to left. */
const ODD = `<img src=x onerror=alert(1)> 🏠 مرحبا`;
/** Longer than any field takes. */
const LONG = "long ".repeat(2_000);

/** A form in which people write. */
interface Form {
  name: string;
  path: (ids: Ids) => string;
  /** Opens it, where the page does not show it at once. */
  show?: (page: Page) => Promise<void>;
  /** Whether it is part of the address, and so open again after signing in. */
  reopens?: boolean;
  /** What it is in. */
  of: (page: Page) => Locator;
  /** The field that is written into. */
  field: string;
  /** What else it wants. */
  fill?: (form: Locator, page: Page) => Promise<void>;
  /** What sends it. */
  deed: string;
  /** Whether what it makes shows the text on this page. */
  shows?: boolean;
}

const dialog = (page: Page) => page.getByRole("dialog");
const press = (name: string) => (page: Page) => page.getByRole("button", { name, exact: true }).first().click();

const FORMS: readonly Form[] = [
  {
    name: "a key",
    path: () => "/keys",
    show: press("Create key"),
    reopens: true,
    of: dialog,
    field: "What is it for?",
    deed: "Create key",
  },
  {
    name: "a team",
    path: () => "/teams",
    show: press("Create team"),
    of: dialog,
    field: "Name",
    deed: "Create team",
    shows: true,
  },
  {
    name: "a project",
    path: () => "/projects",
    show: press("Create project"),
    reopens: true,
    of: dialog,
    field: "Name",
    deed: "Create project",
    shows: true,
  },
  {
    name: "a collection",
    path: () => "/knowledge",
    show: press("New collection"),
    reopens: true,
    of: dialog,
    field: "Name",
    deed: "New collection",
    shows: true,
  },
  {
    name: "a pasted text",
    path: ({ collection }) => `/knowledge/collections/${collection}`,
    show: press("Paste text"),
    of: dialog,
    field: "Title",
    fill: (form) => form.getByLabel("Text").fill("Some words."),
    deed: "Add",
    shows: true,
  },
  {
    name: "feedback",
    path: () => "/help",
    of: (page) => page.getByRole("main"),
    field: "In your words",
    deed: "Send",
  },
  {
    name: "an organisation",
    path: () => "/welcome",
    of: (page) => page.locator("form"),
    field: "Name",
    deed: "Create organisation",
  },
];

for (const form of FORMS) {
  test(`${form.name}: what is half written outlives the session, odd text stays text, and too long is told at the field`, async () => {
    const ann = await newcomer("Writer");
    const ids = await furnish(ann.token, "Written");
    const page = await open({ as: ann.email, refusals: [401, 413, 422] });
    const field = () => form.of(page).getByLabel(form.field).first();
    const send = () => form.of(page).getByRole("button", { name: form.deed, exact: true }).click();

    await page.goto(form.path(ids).replace(/^(?=\/(?!welcome))/, `/o/${ann.org.slug}`));
    await form.show?.(page);
    await form.fill?.(form.of(page), page);
    // What the field itself bounds is cut there; the rest is for the API to refuse.
    await field().fill(LONG);
    const most = await field().getAttribute("maxlength");
    if (most === null) {
      await send();
      await expect.poll(() => field().getAttribute("aria-invalid")).toBe("true");
      const told = await field().getAttribute("aria-describedby");
      expect(told, "the field says what is wrong").toBeTruthy();
    } else {
      expect(Number(most)).toBeLessThan(LONG.length);
    }

    await field().fill(ODD);
    await page.context().clearCookies();
    await send();
    await page.getByText("Your session has ended.").waitFor();
    await signIn(page, ann.email);
    await page.waitForURL((url) => url.pathname !== "/login");
    if (!form.reopens) await form.show?.(page);
    await field().waitFor();
    expect(await field().inputValue()).toBe(ODD);
    await form.fill?.(form.of(page), page);
    await send();
    if (form.shows) await page.getByText(ODD).first().waitFor();
    else
      await expect.poll(async () => (await field().count()) === 0 || (await field().inputValue()) !== ODD).toBe(true);
    expect(await page.locator("img[src=x]").count()).toBe(0);
  });
}

test("a question that could not be asked stays in its field", async () => {
  const ann = await newcomer("Asking");
  await furnish(ann.token, "Asked");
  const page = await open({ as: ann.email, refusals: [401] });
  await page.goto(`/o/${ann.org.slug}/ask`);
  await page.getByLabel("Your question").fill(ODD);
  await page.context().clearCookies();
  await page.keyboard.press("Enter");
  await page.getByText("Your session has ended.").waitFor();
  await signIn(page, ann.email);
  await page.getByLabel("Your question").waitFor();
  expect(await page.getByLabel("Your question").inputValue()).toBe(ODD);
  await page.getByLabel("Your question").press("Enter");
  await page.getByRole("article", { name: "Answer" }).waitFor();
  await page.getByText(ODD).first().waitFor();
  expect(await page.locator("img[src=x]").count()).toBe(0);
});
