import { expect, test } from "vitest";
import { ADA, address, call, joined, look, newcomer, open, operator, token } from "./visit.ts";

test("the first steps are kept on the server, can be left and taken up again", async () => {
  const ann = await newcomer("Fay");
  const page = await open({ as: ann.email });
  await page.goto(`/o/${ann.org.slug}`);
  const steps = page.getByRole("region", { name: "First steps" });
  await steps.getByLabel("Name of the organisation").fill("Fay & Söhne <3");
  await steps.getByRole("button", { name: "Save the name" }).click();
  await page.getByRole("button", { name: /^Organisation: Fay & Söhne <3/ }).waitFor();
  await steps
    .getByRole("button", { name: /^Name the organisation/ })
    .getByText("Done")
    .waitFor();
  // Its address is that of its new name, and can be loaded again.
  const { organization } = await call("GET", "/api/v1/auth/me", ann.token);
  expect(organization.slug).not.toBe(ann.org.slug);
  await page.waitForURL(({ pathname }) => pathname === `/o/${organization.slug}`);
  await page.reload();
  await steps
    .getByRole("button", { name: /^Name the organisation/ })
    .getByText("Done")
    .waitFor();
  await steps.getByRole("button", { name: "Use the samples" }).click();
  await steps
    .getByRole("button", { name: /^Add knowledge/ })
    .getByText("Done")
    .waitFor();
  await look(page, "home-first");
  const elsewhere = await open({ as: ann.email });
  await elsewhere.goto(`/o/${ann.org.id}`);
  await elsewhere
    .getByRole("button", { name: /^Add knowledge/ })
    .getByText("Done")
    .waitFor();
  await steps.getByRole("button", { name: "Do not show again" }).click();
  await steps.waitFor({ state: "detached" });
  await page.getByRole("link", { name: "Help", exact: true }).click();
  await page.getByRole("button", { name: "Show the first steps again" }).click();
  await page.getByRole("link", { name: "Home" }).click();
  await steps.waitFor();
});

test("the first steps and the preferences are told of in one answer, whichever page asked first", async () => {
  const ann = await newcomer("Rover");
  const page = await open({ as: ann.email });
  const steps = page.getByRole("region", { name: "First steps" });
  const language = page.getByRole("combobox", { name: "Language" }).or(page.getByRole("textbox", { name: "Language" }));
  await page.goto(`/o/${ann.org.slug}`);
  await steps.waitFor();
  // By links: what was read stays in the tab.
  await page.getByRole("link", { name: "Settings", exact: true }).click();
  await page.getByRole("link", { name: "Preferences", exact: true }).click();
  await language.waitFor();
  await page.getByRole("link", { name: "Home", exact: true }).click();
  await steps.getByRole("button", { name: "Do not show again" }).click();
  await steps.waitFor({ state: "detached" });
  await page.getByRole("link", { name: "Help", exact: true }).click();
  await page.getByRole("button", { name: "Show the first steps again" }).click();
  await page.getByRole("link", { name: "Settings", exact: true }).click();
  await page.getByRole("link", { name: "Preferences", exact: true }).click();
  await language.waitFor();
});

test("home shows what was spent, what wants attention, and what happened", async () => {
  const page = await open({ as: ADA });
  await page.goto("/o/acme");
  await page
    .getByRole("region", { name: "Spent this month" })
    .getByText(/of .*5,000\.00 in the budget/)
    .waitFor();
  const ada = await token(ADA);
  const { id } = await call("POST", "/api/v1/teams", ada, { name: "Night shift" });
  await call("DELETE", `/api/v1/teams/${id}`, ada);
  await page
    .getByRole("region", { name: "Last activity" })
    .getByText(/^Ada Lindqvist deleted a team/)
    .waitFor();
  await look(page, "home");
});

test("what an operator did is told of as theirs", async () => {
  const ann = await newcomer("Kept");
  const olga = await token(operator("deeds"));
  await call("PATCH", `/api/v1/operator/orgs/${ann.org.id}`, olga, { plan: "pro" });
  const page = await open({ as: ann.email });
  await page.goto(`/o/${ann.org.slug}/audit?action=organisation.administered`);
  await page
    .getByRole("row", { name: /organisation\.administered/ })
    .getByText("The installation's operator")
    .waitFor();
  await page.getByRole("link", { name: "Home", exact: true }).click();
  await page
    .getByRole("region", { name: "Last activity" })
    .getByText(/^The installation's operator organisation administered/)
    .waitFor();
});

test("home tells of documents that could not be read, as long as they are there", async () => {
  const ann = await newcomer("Torn");
  const { id } = await call("POST", "/api/v1/collections", ann.token, { name: "Pages" });
  const form = new FormData();
  form.append("file", new Blob(["%PDF-1.7 nonsense"]), "torn.pdf");
  const headers = { authorization: `Bearer ${ann.token}` };
  const sent = await fetch(`${address}/api/v1/collections/${id}/documents`, { method: "POST", headers, body: form });
  expect(sent.status).toBe(202);
  const { document } = await sent.json();
  await expect
    .poll(async () => (await call("GET", `/api/v1/documents/${document.id}`, ann.token)).status)
    .toBe("failed");
  const page = await open({ as: ann.email });
  await page.goto(`/o/${ann.org.slug}`);
  const knowledge = page.getByRole("region", { name: "Knowledge" });
  await knowledge.getByText("1 failed").waitFor();
  await page.getByText("Documents that could not be read: 1").waitFor();
  await call("DELETE", `/api/v1/documents/${document.id}`, ann.token);
  await knowledge.getByText("All documents can be found.").waitFor();
  expect(await page.getByText("Documents that could not be read").count()).toBe(0);
});

test("a viewer's home offers nothing that would be refused", async () => {
  const page = await open({ as: (await joined("Homely", "viewer")).email });
  await page.goto("/o/acme");
  await page.getByRole("region", { name: "Knowledge" }).waitFor();
  expect(await page.getByRole("link", { name: "Add documents" }).count()).toBe(0);
  expect(await page.getByRole("link", { name: "Ask" }).count()).toBe(0);
  await look(page, "home-viewer");
});

test("the guide is searched without a connection, and feedback is sent", async () => {
  const page = await open({ as: ADA });
  await page.goto("/o/acme/help");
  await page.getByRole("heading", { name: "First steps", level: 2 }).waitFor();
  await page.getByLabel("Search the guide").fill("rotate");
  await page.getByRole("heading", { name: "API keys and programs" }).waitFor();
  await page.getByLabel("Search the guide").fill("zebra");
  await page.getByText("Nothing in the guide says that.").waitFor();
  await page.getByLabel("In your words").fill("It is <good> 🏠");
  await page.getByRole("button", { name: "Send" }).click();
  await page.getByText("Thank you. It is on its way.").waitFor();
  await look(page, "help");
});
