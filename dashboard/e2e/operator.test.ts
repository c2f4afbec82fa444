import { expect, test } from "vitest";
import { ADA, look, newcomer, open, operator } from "./visit.ts";

test("an operator sees organisations from outside, makes an exception and takes it back", async () => {
  const ann = await newcomer("Ora", "Ora's house");
  const page = await open({ as: operator("orgs") });
  await page.goto("/operator");
  const acme = page.getByRole("row", { name: /^Acme/ });
  for (const figure of [/\$\d/, /\d.*(kB|MB)/, "enterprise", "Active"]) await acme.getByText(figure).first().waitFor();
  await look(page, "operator-orgs");
  await page.goto(`/operator/orgs/${ann.org.id}`);
  await page.getByRole("button", { name: "New exception" }).click();
  const dialog = page.getByRole("dialog", { name: "New exception" });
  await dialog.getByLabel("Limit").fill("25");
  await dialog.getByLabel("Why").fill("A school");
  await dialog.getByRole("button", { name: "Create" }).click();
  await page.getByText("Seats: 25").waitFor();
  await page.getByText("Well", { exact: true }).waitFor();
  await look(page, "operator-org");
  await page.getByRole("button", { name: "Take back" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Take back" }).click();
  await page.getByText("None: the plan holds as it is.").waitFor();
});

test("people, plans, mails, receipts and the system have their pages", async () => {
  const page = await open({ as: operator("pages") });
  await page.goto("/operator/people");
  await page.getByLabel("Mail address holds").fill("ada@");
  await page.waitForURL(/email=ada/);
  await page.getByRole("row", { name: /Ada Lindqvist/ }).waitFor();
  await look(page, "operator-people");
  for (const [part, text] of [
    ["plans", "Enterprise"],
    ["mails", "Mails"],
    ["erasures", "Nothing was erased yet"],
    ["system", "Version"],
  ] as const) {
    await page.goto(`/operator/${part}`);
    await page.getByText(text).first().waitFor();
    await look(page, `operator-${part}`);
  }
});

test("the console is no page for anybody else, and nobody asks the server for it", async () => {
  const page = await open({ as: ADA });
  const asked: string[] = [];
  page.on("request", (request) => asked.push(request.url()));
  for (const part of ["", "/people", "/system"]) {
    await page.goto(`/operator${part}`);
    await page.getByRole("heading", { name: "Page not found" }).waitFor();
  }
  expect(asked.filter((url) => url.includes("/api/v1/operator"))).toEqual([]);
});
