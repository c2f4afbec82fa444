import { expect, test } from "vitest";
import { ADA, call, look, newcomer, open } from "./visit.ts";

test("models are listed with who provides them and what they cost", async () => {
  const page = await open({ as: ADA });
  await page.goto("/o/acme/models");
  await page.getByRole("row", { name: /^rowhouse-extractive/ }).waitFor();
  await look(page, "models");
});

test("a provider is brought, found not to answer, and taken away", async () => {
  const ann = await newcomer("Mod");
  const page = await open({ as: ann.email });
  await page.goto(`/o/${ann.org.slug}/models/providers`);
  await page.getByRole("heading", { name: "No keys of your own" }).waitFor();
  await look(page, "providers-empty");
  await page.getByRole("button", { name: "Bring a provider" }).first().click();
  const dialog = page.getByRole("dialog", { name: "Bring a provider of models" });
  await dialog.getByLabel(/^Address/).fill("nowhere");
  await dialog.getByRole("button", { name: "Bring a provider" }).click();
  await dialog.getByText("This is not an address").waitFor();
  await dialog.getByLabel(/^Address/).fill("https://models.invalid/v1");
  await dialog.getByLabel(/^Name/).fill("Ours");
  await dialog.getByLabel("Key", { exact: true }).fill("sk-not-a-key-at-all-0000");
  await dialog.getByRole("button", { name: "Bring a provider" }).click();
  const row = page.getByRole("row", { name: /Ours/ });
  await row.getByText("ends in 0000").waitFor();
  await row.getByRole("button", { name: "Test: Ours" }).click();
  await page.getByText("“Ours” does not work").waitFor();
  await look(page, "providers");
  await row.getByRole("button", { name: "Actions for Ours" }).click();
  await page.getByRole("menuitem", { name: "Take away" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Take away" }).click();
  await page.getByRole("heading", { name: "No keys of your own" }).waitFor();
});

test("a name stands for models in an order", async () => {
  const ann = await newcomer("Nam");
  const page = await open({ as: ann.email });
  await page.goto(`/o/${ann.org.slug}/models/names?create=true`);
  const dialog = page.getByRole("dialog", { name: "A name for models" });
  await dialog.getByLabel("Name").fill("house");
  await dialog.getByPlaceholder("Choice 1").click();
  await page.getByRole("option", { name: /rowhouse-extractive/ }).click();
  await dialog.getByRole("button", { name: "Save" }).click();
  await page.getByRole("row", { name: /house.*rowhouse-extractive/ }).waitFor();
  await look(page, "model-names");
});

test("a name that is given already is not given anew, and a change replaces nothing that nobody read", async () => {
  const ann = await newcomer("Namesake");
  const house = "/api/v1/models/aliases/house";
  const to = (model: string) => ({ targets: [{ provider: "embedded", model }] });
  await call("PUT", house, ann.token, to("first"));
  const page = await open({ as: ann.email, refusals: [412] });
  const listening = page.waitForResponse((response) => response.url().endsWith("/api/v1/events"));
  await page.goto(`/o/${ann.org.slug}/models/names?create=true`);
  await listening;
  const dialog = page.getByRole("dialog", { name: "A name for models" });
  await dialog.getByLabel("Name").fill("house");
  await dialog.getByPlaceholder("Choice 1").click();
  await page.getByRole("option", { name: /rowhouse-extractive/ }).click();
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.getByText("There is such a name already.").waitFor();
  expect(await dialog.getByLabel("Name").getAttribute("aria-invalid")).toBe("true");
  expect((await call("GET", house, ann.token)).targets[0].model).toBe("first");
  await dialog.getByLabel("Name").fill("home");
  await dialog.getByRole("button", { name: "Save" }).click();
  await page.getByRole("row", { name: /home.*rowhouse-extractive/ }).waitFor();

  await page.getByRole("button", { name: "Actions for house" }).click();
  await page.getByRole("menuitem", { name: "Edit" }).click();
  const edit = page.getByRole("dialog", { name: "What “house” stands for" });
  await edit.getByRole("button", { name: "Save" }).waitFor();
  await call("PUT", house, ann.token, to("second"));
  // The list behind it is kept up to date; what is being changed is what was read.
  await page.getByRole("row", { name: /house.*second/, includeHidden: true }).waitFor({ state: "attached" });
  await edit.getByRole("button", { name: "Save" }).click();
  await edit.getByText("Somebody changed this in the meantime.").waitFor();
  expect((await call("GET", house, ann.token)).targets[0].model).toBe("second");
});
