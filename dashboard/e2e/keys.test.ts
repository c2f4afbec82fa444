import { expect, test } from "vitest";
import { anotherTab, call, look, newcomer, open, signIn } from "./visit.ts";

test("a key is made, shown once, works, is rotated and revoked", async () => {
  const ann = await newcomer("Ann");
  const page = await open({ as: ann.email });
  await page.goto(`/o/${ann.org.slug}/keys`);
  await page.getByRole("heading", { name: "No keys yet" }).waitFor();
  await look(page, "keys-empty");
  await page.getByRole("button", { name: "Create key" }).first().click();
  const dialog = page.getByRole("dialog", { name: "Create an API key" });
  await dialog.getByRole("button", { name: "Create key" }).click();
  await dialog.getByText("Please fill this in").waitFor();
  await dialog.getByLabel("What is it for?").fill("Nightly <import> مرحبا 🔑");
  await look(page, "keys-create");
  await dialog.getByRole("button", { name: "Create key" }).click();

  const shown = page.getByRole("dialog", { name: "Your new key" });
  await shown.getByText("This is shown once").waitFor();
  await look(page, "keys-made");
  const key = await shown
    .getByText(/^rh_live_\S+$/)
    .first()
    .textContent();
  const me = await call("GET", "/api/v1/auth/me", key ?? "");
  expect(me.organization.id).toBe(ann.org.id);
  await shown.getByRole("tab", { name: "Python" }).click();
  await shown.getByText(`api_key="${key}"`).waitFor();
  await page.keyboard.press("Escape");
  await shown.waitFor({ state: "hidden" });
  expect(await page.content(), "the key is gone with its dialog").not.toContain(key ?? "nothing");

  const row = page.getByRole("row", { name: /Nightly <import> مرحبا 🔑/ });
  await row.getByText("Active").waitFor();
  await look(page, "keys");
  await row.getByRole("button", { name: /^Actions for Nightly/ }).click();
  await page.getByRole("menuitem", { name: "Rotate" }).click();
  await page
    .getByRole("dialog", { name: /^Rotate/ })
    .getByRole("button", { name: "Rotate" })
    .click();
  await page.getByRole("dialog", { name: "Your new key" }).getByRole("button", { name: "I have copied it" }).click();
  await page.getByText("Ends soon").waitFor();

  const young = page.getByRole("row", { name: /Active/ });
  await young.getByRole("button", { name: /^Actions for/ }).click();
  await page.getByRole("menuitem", { name: "Revoke" }).click();
  const question = page.getByRole("dialog", { name: /^Revoke/ });
  await question.getByText("This cannot be taken back.").waitFor();
  await question.getByRole("button", { name: "Cancel" }).click();
  await question.waitFor({ state: "hidden" });
  await young.getByText("Active").waitFor();
  await young.getByRole("button", { name: /^Actions for/ }).click();
  await page.getByRole("menuitem", { name: "Revoke" }).click();
  await page
    .getByRole("dialog", { name: /^Revoke/ })
    .getByRole("button", { name: "Revoke" })
    .click();
  await page.getByText("Revoked", { exact: true }).waitFor();

  // The one it took the place of lives for its time of grace, and can be ended before.
  expect((await call("GET", "/api/v1/auth/me", key ?? "")).organization.id).toBe(ann.org.id);
  const old = page.getByRole("row", { name: /Ends soon/ });
  await old.getByRole("button", { name: /^Actions for/ }).click();
  await page.getByRole("menuitem", { name: "Revoke" }).waitFor();
  expect(await page.getByRole("menuitem").allTextContents()).toEqual(["Revoke"]);
  await page.getByRole("menuitem", { name: "Revoke" }).click();
  await page
    .getByRole("dialog", { name: /^Revoke/ })
    .getByRole("button", { name: "Revoke" })
    .click();
  await old.waitFor({ state: "detached" });
  await expect(call("GET", "/api/v1/auth/me", key ?? "")).rejects.toThrow("401");
});

test("a session that ends while a key is being described costs no words", async () => {
  const ann = await newcomer("Absent");
  const page = await open({ as: ann.email, refusals: [401] });
  await page.goto(`/o/${ann.org.slug}/keys`);
  await page.getByRole("button", { name: "Create key" }).first().click();
  await page.getByLabel("What is it for?").fill("half written");
  await page.context().clearCookies();
  await page.getByRole("dialog").getByRole("button", { name: "Create key" }).click();
  await page.getByText("Your session has ended.").waitFor();
  await look(page, "login-expired");
  await signIn(page, ann.email);
  await page.getByRole("dialog", { name: "Create an API key" }).waitFor();
  expect(await page.getByLabel("What is it for?").inputValue()).toBe("half written");
  await page.getByRole("dialog").getByRole("button", { name: "Create key" }).click();
  await page.getByText("This is shown once").waitFor();
  const { data } = await call("GET", "/api/v1/auth/api-keys", ann.token);
  expect(data).toHaveLength(1);
});

test("an answer that is lost makes no second key", async () => {
  const ann = await newcomer("Tunnel");
  const page = await open({ as: ann.email, cuts: true });
  await page.goto(`/o/${ann.org.slug}/keys?create=true`);
  let lost = 0;
  await page.route("**/api/v1/auth/api-keys", async (route) => {
    if (route.request().method() !== "POST" || lost > 0) return route.continue();
    lost += 1;
    // It arrives and takes effect; what comes back does not.
    await route.fetch();
    await route.abort("connectionreset");
  });
  await page.getByLabel("What is it for?").fill("through a tunnel");
  await page.getByRole("dialog").getByRole("button", { name: "Create key" }).click();
  await page.getByText("This is shown once").waitFor();
  expect(lost).toBe(1);
  const { data } = await call("GET", "/api/v1/auth/api-keys", ann.token);
  expect(data).toHaveLength(1);
});

test("what the server says of a field stands at that field, and trouble above the buttons", async () => {
  const ann = await newcomer("Fields");
  const page = await open({ as: ann.email, refusals: [422, 503] });
  await page.goto(`/o/${ann.org.slug}/keys?create=true`);
  const refuse = (status: number, error: Record<string, string>) =>
    page.route(
      "**/api/v1/auth/api-keys",
      (route) =>
        route.request().method() === "POST"
          ? route.fulfill({ status, json: { error: { type: "x", request_id: "req_1234", ...error } } })
          : route.continue(),
      { times: 1 },
    );
  await page.getByLabel("What is it for?").fill("anything");
  await refuse(422, { code: "invalid_field", param: "name", message: "The name is taken up by a test." });
  await page.getByRole("dialog").getByRole("button", { name: "Create key" }).click();
  await page.getByText("The name is taken up by a test.").waitFor();
  expect(await page.getByLabel("What is it for?").getAttribute("aria-invalid")).toBe("true");
  await refuse(503, { code: "busy", message: "Too much is going on." });
  await page.getByLabel("What is it for?").fill("anything else");
  await page.getByRole("dialog").getByRole("button", { name: "Create key" }).click();
  await page.getByRole("alert").getByText("The server is busy right now.").waitFor();
});

test("a list of several pages is turned", async () => {
  const ann = await newcomer("Pages");
  const page = await open({ as: ann.email });
  await page.route("**/api/v1/auth/api-keys?*", async (route) => {
    const url = new URL(route.request().url());
    url.searchParams.set("limit", "2");
    await route.continue({ url: url.toString() });
  });
  for (const name of ["one", "two", "three"]) await call("POST", "/api/v1/auth/api-keys", ann.token, { name });
  await page.goto(`/o/${ann.org.slug}/keys`);
  await page.getByText("three", { exact: true }).waitFor();
  await page.getByRole("button", { name: "Next page" }).click();
  await page.getByText("one", { exact: true }).waitFor();
  expect(await page.getByText("three", { exact: true }).count()).toBe(0);
  expect(await page.getByRole("button", { name: "Next page" }).isDisabled()).toBe(true);
  await page.getByRole("button", { name: "Previous page" }).click();
  await page.getByText("three", { exact: true }).waitFor();
});

test("two tabs hold two organisations, and neither shows or writes the other's", async () => {
  const ann = await newcomer("Twofold", "First House");
  const second = await call("POST", "/api/v1/orgs", ann.token, { name: "Second House" });
  const page = await open({ as: ann.email });
  await page.goto(`/o/${ann.org.slug}/keys`);
  const other = await anotherTab(page);
  await other.goto(`/o/${second.slug}/keys`);
  for (const [tab, name] of [
    [page, "of the first"],
    [other, "of the second"],
  ] as const) {
    await tab.getByRole("button", { name: "Create key" }).first().click();
    await tab.getByLabel("What is it for?").fill(name);
    await tab.getByRole("dialog").getByRole("button", { name: "Create key" }).click();
    await tab.getByRole("button", { name: "I have copied it" }).click();
    await tab.getByText(name, { exact: true }).waitFor();
  }
  expect(await page.getByText("of the second", { exact: true }).count()).toBe(0);
  expect(await other.getByText("of the first", { exact: true }).count()).toBe(0);
  const names = async (org: string) => {
    const { data } = await call("GET", "/api/v1/auth/api-keys", ann.token, undefined, org);
    return data.map((key: { name: string }) => key.name);
  };
  expect(await names(ann.org.id)).toEqual(["of the first"]);
  expect(await names(second.id)).toEqual(["of the second"]);
});

test("a tab that was left open writes nothing for whoever signed in after", async () => {
  const ann = await newcomer("Before");
  const bob = await newcomer("After");
  const page = await open({ as: ann.email, refusals: [403] });
  await page.goto(`/o/${ann.org.slug}/keys?create=true`);
  await page.getByLabel("What is it for?").fill("by the wrong person");
  // Bob signs in by a tab that knows nothing of Ann's.
  const answer = await page.context().request.post("/api/v1/auth/session", {
    data: { email: bob.email, password: "come in and look around" },
  });
  expect(answer.status()).toBe(201);
  await page.getByRole("dialog").getByRole("button", { name: "Create key" }).click();
  await page.getByRole("heading", { name: "Page not found" }).waitFor();
  for (const person of [ann, bob]) {
    expect((await call("GET", "/api/v1/auth/api-keys", person.token)).data).toEqual([]);
  }
});
