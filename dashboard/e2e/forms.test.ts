import type { Locator, Page } from "playwright-core";
import { expect, test } from "vitest";
import { furnish, type Ids } from "./pages.ts";
import { call, newcomer, open, operator, signIn, token } from "./visit.ts";

/** Markup, an emoji that is joined of two, and text from right to left. */
const ODD = `<img src=x onerror=alert(1)> 👩‍💻 مرحبا`;
/** What follows the first character is shown in another order than it stands in. */
const TURNED = "a\u202Etxt.exe";
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
  field: string | RegExp;
  /** What it takes, where it is no field for any text. */
  right?: string;
  /** What else it wants. */
  fill?: (form: Locator, page: Page) => Promise<void>;
  /** What sends it. */
  deed: string;
  /** Whether it is for prose, which may turn its direction. */
  prose?: boolean;
  /** Whether what it makes shows the text on the page that follows. */
  shows?: boolean;
  /** What the page says in the end, where the form stays with the text in it. */
  says?: string;
  /** The plan it takes, where the first does not do. */
  plan?: string;
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
    prose: true,
    path: () => "/help",
    of: (page) => page.getByRole("main"),
    field: "In your words",
    deed: "Send",
  },
  {
    name: "an invitation",
    path: () => "/invitations",
    show: press("Invite somebody"),
    reopens: true,
    of: dialog,
    field: "Mail address",
    right: "somebody.new@example.com",
    deed: "Send invitation",
    shows: true,
  },
  {
    name: "a webhook",
    path: () => "/settings/webhooks",
    show: press("Create webhook"),
    reopens: true,
    of: dialog,
    field: /^What it is for/,
    fill: (form) => form.getByLabel("Address").fill("https://hooks.invalid/forms"),
    deed: "Create webhook",
  },
  {
    name: "a provider",
    path: () => "/models/providers",
    show: press("Bring a provider"),
    reopens: true,
    of: dialog,
    field: /^Name/,
    fill: async (form) => {
      await form.getByLabel("Key", { exact: true }).fill("sk-not-a-key-at-all-0000");
      await form.getByLabel(/^Address/).fill("https://models.invalid/v1");
    },
    deed: "Bring a provider",
    shows: true,
  },
  {
    name: "a budget",
    path: () => "/usage/budgets",
    show: press("New budget"),
    reopens: true,
    of: dialog,
    field: "Amount",
    right: "1234.5",
    deed: "Create",
  },
  {
    name: "a mail domain",
    path: () => "/settings/sign-in",
    show: press("Claim a domain"),
    of: dialog,
    field: "Domain",
    right: "forms.example",
    deed: "Claim",
    shows: true,
  },
  {
    name: "a role",
    path: () => "/roles",
    show: press("Create role"),
    of: dialog,
    field: "Name",
    fill: (form) => form.getByRole("checkbox", { name: "see teams and who is in them" }).check(),
    deed: "Create role",
    shows: true,
    plan: "pro",
  },
  {
    name: "a profile",
    path: () => "/settings",
    of: (page) => page.getByRole("region", { name: "Profile" }),
    field: "Name",
    deed: "Save",
    says: "Your name was saved.",
  },
  {
    name: "an organisation",
    path: () => "/welcome",
    of: (page) => page.locator("form"),
    field: "Name",
    deed: "Create organisation",
    shows: true,
  },
];

for (const form of FORMS) {
  test(`${form.name}: what is half written outlives the session, odd text stays text, and what is wrong is told at the field`, async () => {
    const ann = await newcomer("Writer");
    const ids = await furnish(ann.token, "Written");
    if (form.plan) await onPlan(ann.org.id, form.plan);
    const page = await open({ as: ann.email, refusals: [401, 413, 422] });
    const field = () => form.of(page).getByLabel(form.field).first();
    const send = () => form.of(page).getByRole("button", { name: form.deed, exact: true }).click();

    await page.goto(form.path(ids).replace(/^(?=\/(?!welcome))/, `/o/${ann.org.slug}`));
    await form.show?.(page);
    await form.fill?.(form.of(page), page);
    for (const wrong of [LONG, ...(form.prose ? [] : [TURNED]), ...(form.right === undefined ? [] : [ODD])]) {
      await field().fill(wrong);
      // What the field itself bounds or does not take is gone from it; the rest is refused.
      const most = await field().getAttribute("maxlength");
      if (wrong === LONG && most !== null) {
        expect(Number(most)).toBeLessThan(LONG.length);
        continue;
      }
      if ((await field().inputValue()) !== wrong) continue;
      await send();
      await expect.poll(() => field().getAttribute("aria-invalid")).toBe("true");
      const told = await field().getAttribute("aria-describedby");
      expect(told, "the field says what is wrong").toBeTruthy();
    }

    const right = form.right ?? ODD;
    await field().fill(right);
    const typed = await field().inputValue();
    await page.context().clearCookies();
    await send();
    await page.getByText("Your session has ended.").waitFor();
    await signIn(page, ann.email);
    await page.waitForURL((url) => url.pathname !== "/login");
    if (!form.reopens) await form.show?.(page);
    await expect.poll(() => field().inputValue()).toBe(typed);
    await form.fill?.(form.of(page), page);
    await send();
    if (form.says) await page.getByText(form.says).waitFor();
    else if (form.shows) await page.getByText(right).first().waitFor();
    else
      await expect
        .poll(() =>
          field()
            .inputValue({ timeout: 1_000 })
            .catch(() => ""),
        )
        .not.toBe(typed);
    expect(await page.locator("img[src=x]").count()).toBe(0);
  });
}

/** Puts an organisation on a plan, as an operator does. */
async function onPlan(org: string, plan: string) {
  const olga = await token(operator("forms"));
  await call("PATCH", `/api/v1/operator/orgs/${org}`, olga, { plan });
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
