import { createHmac } from "node:crypto";
import { expect, test } from "vitest";
import { ADA, address, call, look, mailed, newcomer, onEmbedded, open, PASSWORD, signIn } from "./visit.ts";

test("somebody signs up, and is in an organisation of their own", async () => {
  const page = await open();
  await page.goto("/");
  await look(page, "login");
  await page.getByRole("link", { name: "Sign up" }).click();
  await page.getByRole("heading", { name: "Create your account" }).waitFor();
  await look(page, "sign-up");
  await page.getByLabel("Your name").fill("Ines <b>& Söhne</b> 🏠");
  await page.getByLabel("Email address").fill("ines@example.com");
  await page.getByLabel(/^Organisation/).fill("Ines & Söhne");
  await page.getByLabel("Password", { exact: true }).fill("too short");
  await page.getByRole("button", { name: "Create account" }).click();
  await page.getByText("At least 12 characters", { exact: true }).waitFor();
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByRole("button", { name: "Create account" }).click();
  await page.getByRole("button", { name: "Account of Ines <b>& Söhne</b> 🏠" }).waitFor();
  expect(new URL(page.url()).pathname).toBe("/o/ines-s-hne");
});

onEmbedded("no token is kept where scripts can read it", async () => {
  const page = await open();
  await page.goto("/login");
  await signIn(page, ADA);
  await page.getByRole("button", { name: /^Account of Ada/ }).waitFor();
  const kept = await page.evaluate(() => [
    document.cookie,
    Object.entries(window.localStorage).flat().join(" "),
    Object.entries(window.sessionStorage).flat().join(" "),
  ]);
  expect(kept[0]).toBe("");
  expect(`${kept[1]} ${kept[2]}`).not.toMatch(/[A-Za-z0-9_-]{24,}/);
});

test("a wrong password says no more than that", async () => {
  const page = await open({ refusals: [401] });
  await page.goto("/login");
  for (const email of [ADA, "nobody@example.com"]) {
    await signIn(page, email, "not the password");
    await page.getByRole("alert").getByText("The email address or the password is wrong.").waitFor();
    await page.getByLabel("Email address").fill("");
  }
});

test("a password is lost, and a new one set by the mailed link", async () => {
  const person = await newcomer("Lost");
  const page = await open();
  await page.goto("/login");
  await page.getByRole("link", { name: "Forgot your password?" }).click();
  await page.getByLabel("Email address").fill(person.email);
  await look(page, "forgot-password");
  await page.getByRole("button", { name: "Send link" }).click();
  await page.getByRole("heading", { name: "Look into your mailbox" }).waitFor();
  await page.goto(mailed(person.email, "password"));
  await page.getByLabel("New password").waitFor();
  expect(page.url(), "the secret does not stay in the address").toBe(`${address}/reset-password`);
  await look(page, "reset-password");
  await page.getByLabel("New password").fill("another house entirely");
  await page.getByRole("button", { name: "Set password" }).click();
  await page.getByRole("link", { name: "Sign in" }).click();
  await signIn(page, person.email, "another house entirely");
  await page.getByRole("button", { name: `Account of ${person.name}` }).waitFor();
});

test("an invitation leads into the organisation, through signing up", async () => {
  const host = await newcomer("Host", "Harbour");
  const invited = await call("POST", "/api/v1/invitations", host.token, { email: "guest@example.com", role: "member" });
  const page = await open();
  await page.goto(invited.link);
  await page.getByRole("heading", { name: "Join Harbour" }).waitFor();
  expect(page.url()).toBe(`${address}/invitations/accept`);
  await look(page, "invitation");
  await page.getByRole("link", { name: "Sign up" }).click();
  await page.getByLabel("Your name").fill("Guest");
  await page.getByLabel("Email address").fill("guest@example.com");
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByRole("button", { name: "Create account" }).click();
  await page.getByText("You are signed in as guest@example.com.").waitFor();
  await page.getByRole("button", { name: "Accept invitation" }).click();
  await page.getByRole("button", { name: /^Organisation: Harbour/ }).waitFor();
});

test("a second factor is asked for when it is on", async () => {
  const person = await newcomer("Factor");
  const { secret } = await call("POST", "/api/v1/auth/totp", person.token);
  const { recovery_codes } = await call("POST", "/api/v1/auth/totp/confirm", person.token, {
    code: codeOf(secret, 0),
  });
  const page = await open({ refusals: [401] });
  await page.goto("/login");
  await signIn(page, person.email);
  await page.getByRole("heading", { name: "One more step" }).waitFor();
  await look(page, "second-factor");
  await page.getByLabel("Code").fill("000000");
  await page.getByRole("button", { name: "Verify" }).click();
  await page.getByText("This code is wrong, or was used already.").waitFor();
  // The code of now was used to turn the factor on; that of the next half minute is taken, too.
  await page.getByLabel("Code").fill(codeOf(secret, 1));
  await page.getByRole("button", { name: "Verify" }).click();
  await page.getByRole("button", { name: `Account of ${person.name}` }).waitFor();
  // New recovery codes take a code: of those before, or of the app.
  await page.goto(`/o/${person.org.slug}/settings/security`);
  await page.getByRole("button", { name: "New recovery codes" }).click();
  const asked = page.getByRole("dialog", { name: "Make new recovery codes?" });
  await asked.getByLabel("Code from the app").fill("000000");
  await asked.getByRole("button", { name: "New recovery codes" }).click();
  await asked.getByText("the code is wrong").waitFor();
  await look(page, "new-recovery-codes");
  await asked.getByLabel("Code from the app").fill(recovery_codes[0]);
  await asked.getByRole("button", { name: "New recovery codes" }).click();
  const shown = page.getByRole("dialog", { name: "Recovery codes", exact: true });
  await shown.getByText("Each lets you in once").waitFor();
  expect(await shown.getByText(recovery_codes[1], { exact: true }).count()).toBe(0);
  expect(await shown.locator("code").count()).toBe(10);
});

/** The six digits that an authenticator shows, so many half minutes from now (RFC 6238). */
function codeOf(secret: string, ahead: number): string {
  const bits = [...secret].map((letter) =>
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0"),
  );
  const key = Buffer.from((bits.join("").match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + ahead));
  const hash = createHmac("sha1", key).update(counter).digest();
  const at = (hash.at(-1) ?? 0) & 15;
  return String((hash.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

onEmbedded("a link without its secret, and one that is void, say so", async () => {
  const page = await open({ refusals: [409] });
  await page.goto("/verify-email");
  await page.getByRole("alert").getByText("This link is incomplete.").waitFor();
  await page.goto("/verify-email?token=bm90aGluZyBhdCBhbGwgYnV0IGxvbmcgZW5vdWdoIHQ");
  await page.getByRole("button", { name: "Verify address" }).click();
  await page.getByRole("alert").getByText("This link was used already, or is too old.").waitFor();
});

onEmbedded("whoever signs out is out in every tab, and leaves nothing behind", async () => {
  const person = await newcomer("Leaver");
  const page = await open({ as: person.email });
  await page.goto("/");
  const other = await page.context().newPage();
  await other.goto(`/o/${person.org.slug}/keys`);
  await other.getByRole("button", { name: "Create key" }).first().click();
  await other.getByLabel("What is it for?").fill("never sent");
  await page.getByRole("button", { name: /^Account of/ }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await other.getByRole("heading", { name: "Sign in" }).waitFor();
  expect(await other.evaluate(() => Object.entries(window.sessionStorage).flat().join(" "))).not.toContain(
    "never sent",
  );
  await page.goBack();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  expect(await page.context().cookies()).not.toContainEqual(expect.objectContaining({ name: "rh_session" }));
});

onEmbedded("whoever signs out is out, also of a session that has ended or is another one by now", async () => {
  const person = await newcomer("Undone");
  const page = await open({ as: person.email, refusals: [401, 403] });
  const out = async () => {
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    expect(new URL(page.url()).search, "nothing has expired").toBe("");
    expect(await page.context().cookies()).not.toContainEqual(expect.objectContaining({ name: "rh_session" }));
  };
  await page.goto(`/o/${person.org.slug}`);
  const menu = page.getByRole("button", { name: /^Account of/ });
  await menu.waitFor();
  // They sign in anew by a tab that knows nothing of this one.
  const { email } = person;
  const again = await page.context().request.post("/api/v1/auth/session", { data: { email, password: PASSWORD } });
  expect(again.status()).toBe(201);
  await menu.click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await out();

  await signIn(page, email);
  await menu.waitFor();
  // Where nothing asks the server by itself.
  await page.goto(`/o/${person.org.slug}/help`);
  await menu.waitFor();
  await page.context().clearCookies();
  await page.getByRole("button", { name: "Find" }).click();
  await page.getByPlaceholder("Find a page or do something…").fill("Sign out");
  await page.keyboard.press("Enter");
  await out();
});

onEmbedded("a session too old for its organisation is asked for a factor before there is a page", async () => {
  const ann = await newcomer("Rested");
  const page = await open({ as: ann.email, refusals: [401] });
  // As the server answers hours later: nowhere, and to who names the organisation not at all.
  let fresh = false;
  await page.route("**/api/v1/auth/me", async (route) => {
    if (fresh) return route.continue();
    if (route.request().headers()["x-rowhouse-org"]) {
      const error = { type: "x", code: "session_too_old_for_organisation", message: "Show a factor.", request_id: "r" };
      return route.fulfill({ status: 401, json: { error } });
    }
    const response = await route.fetch();
    const me = await response.json();
    await route.fulfill({ response, json: { ...me, organization: null, role: null, permissions: [] } });
  });
  await page.route("**/api/v1/auth/step-up", async (route) => {
    const response = await route.fetch();
    fresh = response.ok();
    await route.fulfill({ response });
  });
  await page.goto(`/o/${ann.org.slug}/keys`);
  const asked = page.getByRole("dialog", { name: "Is it you?" });
  await asked.getByRole("button", { name: "Cancel" }).click();
  // Who did not want to can, afterwards.
  await page.getByRole("alert").getByText("Show a factor.").waitFor();
  await page.getByRole("button", { name: "Try again" }).click();
  await asked.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await asked.getByRole("button", { name: "Confirm" }).click();
  await page.getByRole("heading", { name: "API keys", level: 1 }).waitFor();
});

onEmbedded("an address to return to leads nowhere else", async () => {
  const page = await open();
  await page.goto("/login?next=https://example.org/");
  await signIn(page, ADA);
  await page.getByRole("button", { name: /^Account of Ada/ }).waitFor();
  expect(page.url().startsWith(address)).toBe(true);
});

onEmbedded("every page of signing in speaks German", async () => {
  const page = await open({ language: "de-DE" });
  await page.goto("/login");
  await page.getByRole("heading", { name: "Anmelden" }).waitFor();
  expect(await page.locator("html").getAttribute("lang")).toBe("de");
  await page.getByLabel("Language / Sprache").selectOption("English");
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  expect(await page.locator("html").getAttribute("lang")).toBe("en");
});
