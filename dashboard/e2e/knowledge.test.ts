import { expect, test } from "vitest";
import { ADA, call, joined, look, newcomer, onEmbedded, open, type Person, token } from "./visit.ts";

const TRAVEL = `# Travel

A hotel may cost at most 140 euros a night; in Zürich 220 euros.

Receipts are handed in within 30 days.`;

/** A collection with a document that can be found. */
async function library(of: Person, name = "Handbook"): Promise<{ collection: string; document: string }> {
  const collection = await call("POST", "/api/v1/collections", of.token, { name, access: "project" });
  const { document } = await call("POST", `/api/v1/collections/${collection.id}/documents/text`, of.token, {
    title: "Travel policy",
    text: TRAVEL,
    tags: ["travel"],
  });
  return { collection: collection.id, document: document.id };
}

test("a collection is made, files come in with their progress, and one that cannot be read says why", async () => {
  const ann = await newcomer("Librarian");
  const page = await open({ as: ann.email });
  await page.goto(`/o/${ann.org.slug}/knowledge`);
  await page.getByRole("heading", { name: "No knowledge yet" }).waitFor();
  await look(page, "knowledge-empty");
  await page.getByRole("button", { name: "New collection" }).first().click();
  const dialog = page.getByRole("dialog", { name: "New collection" });
  await dialog.getByRole("button", { name: "New collection" }).click();
  await dialog.getByText("Please fill this in").waitFor();
  await look(page, "knowledge-create");
  await dialog.getByLabel("Name").fill("Rules <b> مرحبا 📚");
  await dialog.getByRole("button", { name: "New collection" }).click();

  await page.getByRole("heading", { name: "Rules <b> مرحبا 📚", level: 1 }).waitFor();
  await page.getByRole("heading", { name: "No documents yet" }).waitFor();
  const choosing = page.waitForEvent("filechooser");
  await page.getByRole("button", { name: "Choose files" }).click();
  await (await choosing).setFiles([
    {
      name: "lunch.md",
      mimeType: "text/markdown",
      buffer: Buffer.from("# Lunch\n\nLunch is at noon.\n\n- soup\n- bread\n"),
    },
    { name: "broken.pdf", mimeType: "application/pdf", buffer: Buffer.from("%PDF-1.7 nonsense") },
  ]);
  const way = page.getByRole("region", { name: "Under way" });
  await way.getByText("The file is damaged or incomplete.").waitFor();
  await way.getByText("Ready").waitFor();
  const list = page.getByRole("table", { name: "Documents" });
  await list.getByRole("row", { name: /Lunch/ }).getByText("Ready").waitFor();
  await list
    .getByRole("row", { name: /broken\.pdf/ })
    .getByText("Could not be read")
    .waitFor();
  await look(page, "collection");
  await way.getByRole("button", { name: "Clear" }).click();
  await way.waitFor({ state: "hidden" });

  await page.getByRole("button", { name: "Paste text" }).click();
  const paste = page.getByRole("dialog", { name: "Paste text" });
  await paste.getByLabel("Title").fill("Parking");
  await paste.getByLabel("Text").fill("Parking is free.");
  await paste.getByRole("button", { name: "Add" }).click();
  await list.getByRole("link", { name: "Parking" }).click();
  await page.getByText("Parking is free.").waitFor();
});

onEmbedded("a file that was read before anybody listened is shown as read", async () => {
  const ann = await newcomer("Latecomer");
  const { id } = await call("POST", "/api/v1/collections", ann.token, { name: "Quick" });
  const page = await open({ as: ann.email });
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  await page.route("**/api/v1/collections/*/events", async (route) => {
    await held;
    await route.continue();
  });
  await page.goto(`/o/${ann.org.slug}/knowledge/collections/${id}`);
  const choosing = page.waitForEvent("filechooser");
  await page.getByRole("button", { name: "Choose files" }).click();
  const file = { name: "noon.md", mimeType: "text/markdown", buffer: Buffer.from("Lunch is at noon.") };
  await (await choosing).setFiles(file);
  await expect
    .poll(async () => {
      const { data } = await call("GET", `/api/v1/collections/${id}/documents`, ann.token);
      return data.map(({ passages, embedded }: Record<string, number>) => (passages ? passages - (embedded ?? 0) : 1));
    })
    .toEqual([0]);
  release();
  await page.getByRole("region", { name: "Under way" }).getByText("Ready").waitFor();
});

test("a document shows its text, passages and versions, and goes with what was made of it", async () => {
  const ann = await newcomer("Reader");
  const { document } = await library(ann);
  const page = await open({ as: ann.email });
  await page.goto(`/o/${ann.org.slug}/knowledge/documents/${document}`);
  await page.getByText("A hotel may cost at most 140 euros").waitFor();
  await page.getByText("Seen by everybody in the organisation whose role allows it.").waitFor();
  await look(page, "document");
  await page.getByRole("tab", { name: "Passages" }).click();
  await page.getByText("Passage 1").waitFor();
  await look(page, "document-passages");

  const choosing = page.waitForEvent("filechooser");
  await page.getByRole("button", { name: "New version" }).click();
  const file = { name: "travel.txt", mimeType: "text/plain", buffer: Buffer.from("A hotel may cost 150 euros now.") };
  await (await choosing).setFiles(file);
  await page.getByRole("tab", { name: "Text" }).click();
  await page.getByText("A hotel may cost 150 euros now.").waitFor();
  await page.getByRole("tab", { name: "Versions" }).click();
  await page
    .getByRole("row", { name: /Version 2/ })
    .getByText("Found now")
    .waitFor();
  await look(page, "document-versions");
  await page
    .getByRole("row", { name: /Version 1/ })
    .getByRole("link", { name: "Show text" })
    .click();
  await page.getByText("This is the text of version 1.").waitFor();
  await page.getByText("in Zürich 220 euros").waitFor();
  const saving = page.waitForEvent("download");
  await page.getByRole("button", { name: "Download original" }).click();
  expect((await saving).suggestedFilename()).toBe("travel.txt");

  await page.getByRole("button", { name: "Edit" }).click();
  const edit = page.getByRole("dialog", { name: "Title and tags" });
  await edit.getByLabel("Title").fill("Journeys");
  await edit.getByRole("button", { name: "Save" }).click();
  await page.getByRole("heading", { name: "Journeys", level: 1 }).waitFor();

  await page.getByRole("button", { name: "Delete", exact: true }).click();
  const question = page.getByRole("dialog", { name: "Delete “Journeys”?" });
  await question.getByText("This cannot be undone.").waitFor();
  await question.getByRole("button", { name: "Delete" }).click();
  await page.getByRole("heading", { name: "No documents yet" }).waitFor();
});

onEmbedded("a collection goes only when its name is typed", async () => {
  const ann = await newcomer("Ender");
  const { collection } = await library(ann, "Old rules");
  const page = await open({ as: ann.email });
  await page.goto(`/o/${ann.org.slug}/knowledge/collections/${collection}`);
  await page.getByRole("button", { name: "Actions for Old rules" }).click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  const question = page.getByRole("dialog", { name: "Delete “Old rules”?" });
  expect(await question.getByRole("button", { name: "Delete the collection" }).isDisabled()).toBe(true);
  await question.getByRole("textbox").fill("Old rules");
  await question.getByRole("button", { name: "Delete the collection" }).click();
  await page.getByRole("heading", { name: "No knowledge yet" }).waitFor();
});

test("a collection is closed, and shared with a team and a person", async () => {
  const page = await open({ as: ADA });
  await page.goto("/o/acme/knowledge?create=true");
  const dialog = page.getByRole("dialog", { name: "New collection" });
  await dialog.getByLabel("Name").fill("Shared shelf");
  await dialog.getByRole("radio", { name: /^People and teams/ }).check();
  await dialog.getByRole("button", { name: "New collection" }).click();
  await page.getByRole("button", { name: "Share", exact: true }).click();
  const share = page.getByRole("dialog", { name: "Who sees “Shared shelf”" });
  await share.getByText("Nobody yet.").waitFor();
  for (const name of ["Ben", "Engineering"]) {
    await share.getByRole("combobox", { name: "Share with" }).click();
    await page.getByRole("option", { name: new RegExp(`^${name}`) }).click();
    await share.getByRole("button", { name: new RegExp(`^Stop sharing with ${name}`) }).waitFor();
  }
  await look(page, "collection-share");
  // It is not chosen before the question is answered.
  await share.getByRole("radio", { name: /^Only me/ }).click();
  const question = page.getByRole("dialog", { name: "Stop sharing?" });
  await question.getByRole("button", { name: "Stop sharing" }).click();
  await share.getByRole("combobox", { name: "Share with" }).waitFor({ state: "hidden" });
});

test("a search says what it found, where, and why", async () => {
  const ann = await newcomer("Seeker");
  await library(ann);
  const page = await open({ as: ann.email });
  await page.goto(`/o/${ann.org.slug}/knowledge/search`);
  await page.getByRole("heading", { name: "Search all that you may see" }).waitFor();
  await page.getByLabel("Search passages").fill("hotel in Zürich");
  await page.getByRole("switch", { name: "Say why" }).focus();
  await page.keyboard.press("Space");
  await page.getByRole("button", { name: "Search", exact: true }).click();
  await page.getByRole("heading", { name: "Why these results" }).waitFor();
  await page.getByText("Handbook: by your role in the organisation").waitFor();
  await look(page, "search");
  await page.getByRole("button", { name: "Filters" }).click();
  await page.getByRole("combobox", { name: "Kinds of files" }).focus();
  await page.keyboard.press("ArrowDown");
  await page.getByRole("option", { name: "PDF" }).click();
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Search", exact: true }).click();
  await page.getByRole("heading", { name: "Nothing was found" }).waitFor();
  await page.getByText("The filters leave it out").waitFor();
  await page.goBack();
  await page.getByRole("article").getByRole("link", { name: "Travel policy" }).click();
  await page.getByText("A hotel may cost at most 140 euros").waitFor();
});

onEmbedded("a viewer reads, and is offered nothing that changes", async () => {
  const ada = await token(ADA);
  const shelf = await call("POST", "/api/v1/collections", ada, { name: "For reading", access: "project" });
  const { document } = await call("POST", `/api/v1/collections/${shelf.id}/documents/text`, ada, {
    title: "A page",
    text: "Read me.",
  });
  const page = await open({ as: (await joined("Reading", "viewer")).email });
  await page.goto(`/o/acme/knowledge/collections/${shelf.id}`);
  await page.getByRole("link", { name: "A page" }).waitFor();
  for (const name of ["Choose files", "Share", "Actions for For reading", "Actions for A page"]) {
    expect(await page.getByRole("button", { name, exact: true }).count(), name).toBe(0);
  }
  await page.goto(`/o/acme/knowledge/documents/${document.id}`);
  await page.getByText("Read me.").waitFor();
  await page.getByRole("button", { name: "Download original" }).waitFor();
  expect(await page.getByRole("button", { name: "Delete" }).count()).toBe(0);
  await page.goto("/o/acme/knowledge");
  await page.getByRole("tab", { name: "Search" }).waitFor();
  expect(await page.getByRole("button", { name: "New collection" }).count()).toBe(0);
  expect(await page.getByRole("tab", { name: "Meaning" }).count()).toBe(0);
});

test("what belongs to another organisation is not there", async () => {
  const ann = await newcomer("Owner");
  const bob = await newcomer("Prowler");
  const { collection, document } = await library(ann);
  const page = await open({ as: bob.email, refusals: [404] });
  for (const path of [`collections/${collection}`, `documents/${document}`]) {
    await page.goto(`/o/${bob.org.slug}/knowledge/${path}`);
    await page.getByRole("alert").getByText("There is no such thing").waitFor();
    expect(await page.content()).not.toContain("Travel policy");
  }
});

onEmbedded("the model for meaning is shown, and another is asked about before it is chosen", async () => {
  const ann = await newcomer("Chooser");
  const page = await open({ as: ann.email, refusals: [404, 409, 422] });
  await page.goto(`/o/${ann.org.slug}/knowledge/embedding`);
  await page.getByText("rowhouse-minilm").first().waitFor();
  await look(page, "embedding");
  await page.getByRole("combobox", { name: "Provider" }).click();
  await page.getByRole("option", { name: "The installation's" }).click();
  await page.getByRole("button", { name: "Use this model" }).click();
  await page.getByText("Please fill this in").waitFor();
  await page.getByLabel("Model").last().fill("text-embedding-3-small");
  await page.getByRole("button", { name: "Use this model" }).click();
  const question = page.getByRole("dialog", { name: /^Use text-embedding-3-small/ });
  await question.getByText("private ones too").waitFor();
  await question.getByRole("button", { name: "Cancel" }).click();
  await question.waitFor({ state: "hidden" });
});
