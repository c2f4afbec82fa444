import { expect, test } from "vitest";
import { ADA, address, call, faults, joined, look, newcomer, open, token } from "./visit.ts";

test("the frame has names for everything, in light and dark, wide and narrow", async () => {
  const page = await open({ as: ADA });
  await page.goto("/o/acme");
  await page.getByRole("navigation", { name: "Main navigation" }).waitFor();
  await look(page, "home");
  await page.getByRole("button", { name: /^Account of Ada/ }).click();
  await page.getByRole("menuitemradio", { name: "Dark" }).click();
  await page.keyboard.press("Escape");
  await page.getByRole("menu").waitFor({ state: "hidden" });
  await page.goto("/o/acme/members");
  await page.getByText("ben@acme.example").waitFor();
  await look(page, "members-dark");
});

test("members are listed, and pages have their help", async () => {
  const page = await open({ as: ADA });
  await page.goto("/o/acme/members");
  const row = page.getByRole("row", { name: /Ada Lindqvist/ });
  await row.getByText("Owner").waitFor();
  await look(page, "members");
  await page.getByRole("button", { name: "Help: Members" }).click();
  await page.getByRole("dialog", { name: "Help: Members" }).getByText("A member's role says").waitFor();
});

test("everything is reached by the keyboard", async () => {
  const page = await open({ as: ADA });
  await page.goto("/o/acme");
  await page.getByRole("link", { name: "API keys" }).waitFor();
  await page.keyboard.press("Tab");
  expect(
    await page.getByRole("link", { name: "Skip to the content" }).evaluate((link) => link === document.activeElement),
  ).toBe(true);
  await page.keyboard.press("Control+k");
  const find = page.getByPlaceholder("Find a page or do something…");
  await find.fill("memb");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Members", level: 1 }).waitFor();
  // The menu of a row is made when it is opened for the first time, and gives the focus back each time.
  const dots = page.getByRole("button", { name: "Actions for Ben Okafor" });
  const menu = page.getByRole("menu");
  for (let opened = 0; opened < 2; opened++) {
    await dots.focus();
    await page.keyboard.press("Enter");
    await menu.waitFor();
    await expect.poll(() => menu.evaluate((open) => open.contains(document.activeElement))).toBe(true);
    await page.keyboard.press("Escape");
    await menu.waitFor({ state: "hidden" });
    await expect.poll(() => dots.evaluate((button) => button === document.activeElement)).toBe(true);
  }
});

test("the palette is accessible", async () => {
  const page = await open({ as: ADA });
  await page.goto("/o/acme");
  await page.getByRole("button", { name: "Find" }).click();
  await page.getByPlaceholder("Find a page or do something…").waitFor();
  expect(await faults(page)).toEqual([]);
});

test("a viewer is offered nothing that would be refused", async () => {
  const page = await open({ as: (await joined("Framed", "viewer")).email });
  await page.goto("/o/acme");
  await page.getByRole("link", { name: "Members" }).waitFor();
  expect(await page.getByRole("link", { name: "API keys" }).count()).toBe(0);
  expect(await page.getByRole("link", { name: "Audit log" }).count()).toBe(0);
  await page.goto("/o/acme/keys");
  await page.getByText("Your role does not allow this.").waitFor();
  expect(await page.getByRole("button", { name: "Create key" }).count()).toBe(0);
});

test("another organisation's address is no page, and asks for nothing of theirs", async () => {
  const stranger = await newcomer("Stranger");
  const { organization } = await call("GET", "/api/v1/auth/me", await token(ADA));
  const page = await open({ as: stranger.email });
  const named: string[] = [];
  page.on("request", (request) => named.push(request.headers()["x-rowhouse-org"] ?? ""));
  for (const path of ["", "/keys", "/members", "/usage", "/audit", "/settings"]) {
    for (const org of ["acme", organization.id]) {
      await page.goto(`/o/${org}${path}`);
      await page.getByRole("heading", { name: "Page not found" }).waitFor();
    }
  }
  expect(named).not.toContain(organization.id);
});

test("the organisation is switched with two clicks", async () => {
  const ann = await newcomer("Switcher", "Left House");
  await call("POST", "/api/v1/orgs", ann.token, { name: "Right House" });
  const page = await open({ as: ann.email });
  await page.goto(`/o/${ann.org.slug}`);
  await page.getByRole("button", { name: /^Organisation: Left House/ }).click();
  await page.getByRole("menuitem", { name: "Right House" }).click();
  await page.getByRole("button", { name: /^Organisation: Right House/ }).waitFor();
  expect(new URL(page.url()).pathname).toBe("/o/right-house");
});

test("a project that was chosen stays behind with its organisation, and goes with itself", async () => {
  const ann = await newcomer("Parting", "Old House");
  const other = await call("POST", "/api/v1/orgs", ann.token, { name: "New House" });
  const project = await call("POST", "/api/v1/projects", ann.token, { name: "Attic" }, ann.org.id);
  await call("PUT", `/api/v1/projects/${project.id}/archive`, ann.token, undefined, ann.org.id);
  const page = await open({ as: ann.email });
  const home = `/o/${ann.org.slug}`;
  const at = (path: string) => page.waitForURL(({ pathname, search }) => pathname === path && search === "");
  await page.goto(`${home}?project=${project.id}`);
  await page.getByRole("button", { name: /^Organisation: Old House/ }).click();
  await page.getByRole("menuitem", { name: "New House" }).click();
  await at(`/o/${other.slug}`);

  await page.goto(`${home}?project=${project.id}`);
  await page.getByRole("button", { name: "Find" }).click();
  await page.getByPlaceholder("Find a page or do something…").fill("New House");
  await page.keyboard.press("Enter");
  await at(`/o/${other.slug}`);

  await page.goto(`${home}/projects/${project.id}?project=${project.id}`);
  await page.getByRole("button", { name: "Delete for good" }).click();
  await page.getByRole("dialog").getByLabel("Type “Attic” to confirm").fill("Attic");
  await page.getByRole("dialog").getByRole("button", { name: "Delete for good" }).click();
  await at(`${home}/projects`);
});

test("a project that was chosen goes along from page to page", async () => {
  const page = await open({ as: ADA });
  await page.goto("/o/acme");
  await page
    .getByRole("combobox", { name: "Project" })
    .or(page.getByRole("textbox", { name: "Project" }))
    .click();
  await page.getByRole("option", { name: "Website" }).click();
  await page.waitForURL(/project=prj_/);
  await page.getByRole("link", { name: "API keys" }).click();
  await page.waitForURL(/keys\?project=prj_/);
});

test("an address that is no page says so, and a server that is away is told of", async () => {
  const page = await open({ as: ADA, refusals: [404], cuts: true });
  const answer = await page.goto("/no/such/page");
  expect(answer?.status()).toBe(404);
  await page.getByRole("heading", { name: "Page not found" }).waitFor();
  await look(page, "missing");
  await page.goto("/o/acme");
  await page.getByRole("link", { name: "Members" }).waitFor();
  await page.route("**/api/v1/members?*", (route) => route.abort("connectionrefused"));
  await page.getByRole("link", { name: "Members" }).click();
  await page.getByRole("alert").getByText("The server cannot be reached.").waitFor();
  await look(page, "unreachable");
  await page.unroute("**/api/v1/members?*");
  await page.getByRole("button", { name: "Try again" }).click();
  await page.getByText("ben@acme.example").waitFor();
});

test("the policy lets no markup and no other script in", async () => {
  const page = await open({ as: ADA });
  const answer = await page.goto("/o/acme");
  const policy = answer?.headers()["content-security-policy"] ?? "";
  expect(policy).not.toContain("unsafe");
  expect(policy).toContain("require-trusted-types-for 'script'");
  expect(policy).toContain("frame-ancestors 'none'");
  await page.getByRole("link", { name: "Members" }).waitFor();
  page.context().removeAllListeners("console");
  const outcome = await page.evaluate(() => {
    try {
      document.body.insertAdjacentHTML("beforeend", "<img src=x onerror='window.hacked = true'>");
      return "written";
    } catch (error) {
      return String(error);
    }
  });
  expect(outcome).toContain("text must not become markup");
});

test("what is not a page is never answered with one", async () => {
  const html = { accept: "text/html,application/xhtml+xml" };
  for (const path of ["/api/v1/nothing", "/v1/nothing", "/assets/nothing.js", "/.well-known/nothing", "/api"]) {
    const answer = await fetch(`${address}${path}`, { headers: html });
    expect([path, answer.status]).toEqual([path, 404]);
    expect(answer.headers.get("content-type")).toContain("application/json");
  }
});
