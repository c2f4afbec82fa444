import { expect, test } from "vitest";
import { ADA, anew, call, joined, onEmbedded, open, type Person, token } from "./visit.ts";

/** A private project of Acme in which somebody has a role. */
async function shared(name: string, role: string, person: Person): Promise<{ id: string; name: string }> {
  const ada = await token(ADA);
  const project = await call("POST", "/api/v1/projects", ada, { name: anew(name), open: false });
  await give(project.id, role, person);
  return project;
}

async function give(project: string, role: string, person: Person) {
  const { user } = await call("GET", "/api/v1/auth/me", person.token);
  await call("PUT", `/api/v1/projects/${project}/members/${user.id}`, await token(ADA), { role });
}

test("who is more than a viewer at one project can work there, and nowhere else", async () => {
  const keeper = await joined("Keeper", "viewer");
  const { name } = await shared("Lighthouse", "member", keeper);
  const page = await open({ as: keeper.email });
  const refused: string[] = [];
  page.on("response", (response) => {
    if (response.status() === 403) refused.push(`${response.request().method()} ${response.url()}`);
  });
  await page.goto("/o/acme/knowledge");
  await page.getByRole("button", { name: "New collection" }).first().click();
  const dialog = page.getByRole("dialog", { name: "New collection" });
  await dialog.getByLabel("Name").fill("Lamps");
  await dialog.getByLabel("For", { exact: true }).click();
  expect(await page.getByRole("option").allTextContents(), "the one place where they may").toEqual([name]);
  await page.getByRole("option").click();
  await dialog.getByRole("button", { name: "New collection" }).click();
  await page.getByRole("heading", { name: "Lamps", level: 1 }).waitFor();
  await page.getByRole("button", { name: "Paste text" }).click();
  const paste = page.getByRole("dialog", { name: "Paste text" });
  await paste.getByLabel("Title").fill("Wicks");
  await paste.getByLabel("Text").fill("Wicks are trimmed every morning at seven.");
  await paste.getByRole("button", { name: "Add" }).click();
  await page.getByRole("table", { name: "Documents" }).getByRole("row", { name: /Wicks/ }).getByText("Ready").waitFor();

  await page.getByRole("link", { name: "Ask", exact: true }).click();
  await page.getByLabel("Your question").fill("When are wicks trimmed?");
  await page.getByRole("button", { name: "Ask", exact: true }).click();
  await page.getByRole("article", { name: "Answer" }).getByText("every morning at seven").first().waitFor();
  for (const area of ["Models", "Usage", "API keys"]) {
    await page.getByRole("link", { name: area, exact: true }).click();
    await page.getByRole("heading", { name: area, level: 1 }).waitFor();
  }
  expect(refused).toEqual([]);
});

onEmbedded("what is given at a project is offered at once, and gone as soon as it is taken away", async () => {
  const keeper = await joined("Blower", "viewer");
  const page = await open({ as: keeper.email });
  await page.goto("/o/acme/projects");
  await page.getByRole("heading", { name: "Projects", level: 1 }).waitFor();
  const { id, name } = await shared("Foghorn", "admin", keeper);
  await page.getByRole("link", { name }).click();
  await page.getByRole("button", { name: "Change", exact: true }).waitFor();
  await give(id, "viewer", keeper);
  await page.getByRole("button", { name: "Change", exact: true }).waitFor({ state: "hidden" });
});
