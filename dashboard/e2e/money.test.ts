import type { Locator } from "playwright-core";
import { expect, test } from "vitest";
import { ADA, call, faults, joined, look, newcomer, open } from "./visit.ts";

test("usage is shown by day, by who and what, as a chart, a table and a file", async () => {
  const page = await open({ as: ADA });
  await page.goto("/o/acme/usage");
  await page.getByRole("img", { name: /^Bar chart: Cost by day/ }).waitFor();
  await page.getByText("gpt-4o-mini").waitFor();
  await look(page, "usage");
  await page.getByText("Table", { exact: true }).click();
  await page.getByRole("columnheader", { name: "Requests" }).waitFor();
  const saved = page.waitForEvent("download");
  await page.getByRole("button", { name: "CSV" }).first().click();
  expect((await saved).suggestedFilename()).toMatch(/^usage-\d{4}-\d{2}-by-day\.csv$/);
  await look(page, "usage-table");
});

test("months are the organisation's", async () => {
  const ann = await newcomer("Far");
  // There a month begins while the one before lasts for another 14 hours in UTC.
  const timeZone = "Pacific/Kiritimati";
  await call("PATCH", `/api/v1/orgs/${ann.org.id}`, ann.token, { time_zone: timeZone });
  const messages = [{ role: "user", content: "When? At nine." }];
  await call("POST", "/v1/chat/completions", ann.token, { model: "rowhouse-extractive", messages });
  const [{ value: month }, , { value: year }] = new Intl.DateTimeFormat("en", {
    timeZone,
    month: "2-digit",
    year: "numeric",
  }).formatToParts(new Date()) as [Intl.DateTimeFormatPart, Intl.DateTimeFormatPart, Intl.DateTimeFormatPart];
  const page = await open({ as: ann.email });
  await page.goto(`/o/${ann.org.slug}/usage?view=table`);
  await page.getByRole("columnheader", { name: "Requests" }).waitFor();
  const saved = page.waitForEvent("download");
  await page.getByRole("button", { name: "CSV" }).first().click();
  expect((await saved).suggestedFilename()).toBe(`usage-${year}-${month}-by-day.csv`);
  const shown = page.getByRole("combobox", { name: "Month" }).or(page.getByRole("textbox", { name: "Month" }));
  const name = new Intl.DateTimeFormat("en-GB", { month: "long", year: "numeric", timeZone }).format(new Date());
  expect(await shown.inputValue()).toBe(name);
});

test("the log is filtered, and the filter stands in the address", async () => {
  const page = await open({ as: ADA });
  await page.goto("/o/acme/usage/log");
  await page
    .getByRole("row", { name: /claude-opus-4-1/ })
    .first()
    .waitFor();
  await page.getByLabel("Model", { exact: true }).fill("gpt-4.1");
  await page.waitForURL(/model=gpt-4\.1/);
  await page
    .getByRole("row", { name: /claude-opus-4-1/ })
    .first()
    .waitFor({ state: "detached" });
  await page
    .getByRole("row", { name: /gpt-4\.1/ })
    .first()
    .waitFor();
  await look(page, "usage-log");
});

test("a budget is made, changed, increased for a time and deleted", async () => {
  const ann = await newcomer("Bud");
  const page = await open({ as: ann.email });
  await page.goto(`/o/${ann.org.slug}/usage/budgets`);
  await page.getByRole("heading", { name: "No budgets yet" }).waitFor();
  await look(page, "budgets-empty");
  await page.getByRole("button", { name: "New budget" }).first().click();
  const making = page.getByRole("dialog", { name: "New budget" });
  await making.getByRole("button", { name: "Create" }).click();
  await making.getByText("Must be more than nothing").waitFor();
  await making.getByLabel("Amount").fill("20");
  expect(await faults(page)).toEqual([]);
  await making.getByRole("button", { name: "Create" }).click();
  const row = page.getByRole("row", { name: /Whole organisation/ });
  await row.getByText(/of US\$20\.00|of \$20\.00/).waitFor();

  await row.getByRole("button", { name: /^Actions for/ }).click();
  await page.getByRole("menuitem", { name: "Edit" }).click();
  const changing = page.getByRole("dialog", { name: "Change the budget" });
  await changing.getByLabel("Amount").fill("30");
  await changing.getByRole("button", { name: "Save" }).click();
  await row.getByText(/\$30\.00/).waitFor();

  await row.getByRole("button", { name: /^Actions for/ }).click();
  await page.getByRole("menuitem", { name: "Grant more for a time" }).click();
  const granting = page.getByRole("dialog", { name: "Grant more for a time" });
  await granting.getByLabel("How much more").fill("5");
  await granting.getByLabel("Why").fill("A fair <b>week</b>");
  await granting.getByRole("button", { name: "Grant more for a time" }).click();
  await row.getByText(/of US\$35\.00|of \$35\.00/).waitFor();
  await look(page, "budgets");

  await row.getByRole("button", { name: /^Actions for/ }).click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await page.getByRole("dialog", { name: "Delete this budget?" }).getByRole("button", { name: "Delete" }).click();
  await page.getByRole("heading", { name: "No budgets yet" }).waitFor();
});

test("what one browser changes, another shows", async () => {
  const ann = await newcomer("Liv");
  const page = await open({ as: ann.email });
  const listening = page.waitForResponse((response) => response.url().endsWith("/api/v1/events"));
  await page.goto(`/o/${ann.org.slug}/usage/limits`);
  await page.getByRole("heading", { name: "No rate limits of your own" }).waitFor();
  await listening;
  await call("POST", "/api/v1/limits", ann.token, { level: "user", requests_per_minute: 7 });
  await page.getByRole("row", { name: /Each: Person/ }).waitFor();
  await look(page, "limits");
});

test("who was turned away is shown, and by what", async () => {
  const ann = await newcomer("Den");
  const limit = { level: "user", operation: "search", requests_per_minute: 2 };
  await call("POST", "/api/v1/limits", ann.token, limit);
  const search = () => call("POST", "/api/v1/search", ann.token, { query: "anything" });
  await search();
  await search();
  await expect(search()).rejects.toThrow("429");
  const page = await open({ as: ann.email });
  await page.goto(`/o/${ann.org.slug}/usage/limits`);
  const caller = page
    .getByRole("table", { name: "Who called most in the last hour" })
    .getByRole("row", { name: /Search/ });
  await caller.getByText("Person: Search, requests a minute (1)").waitFor();
  const figures = async (of: Locator) =>
    (await of.getByRole("cell").allTextContents()).map((text) => text.match(/(\d+|–)$/)?.[1]);
  expect((await figures(caller)).slice(2, 5)).toEqual(["2", "2", "1"]);
  const row = page.getByRole("table", { name: "Rate limits" }).getByRole("row", { name: /Each: Person/ });
  await row.getByText("2 requests a minute").waitFor();
  expect((await figures(row)).slice(3, 5)).toEqual(["2", "1"]);
  await look(page, "limits-denied");
});

test("what is left is shown to who may use something, and to nobody else", async () => {
  const page = await open({ as: ADA });
  await page.goto("/o/acme/usage/quota");
  await page
    .getByText(/of 10,000$/)
    .first()
    .waitFor();
  await look(page, "quota");
  const viewer = await open({ as: (await joined("Spender", "viewer")).email });
  await viewer.goto("/o/acme");
  await viewer.getByRole("heading", { level: 1 }).waitFor();
  expect(await viewer.getByRole("link", { name: "Usage", exact: true }).count()).toBe(0);
  await viewer.goto("/o/acme/usage");
  await viewer.getByText("Your role does not allow this.").waitFor();
});
