import { expect, test } from "vitest";
import { ADA, call, joined, look, newcomer, onEmbedded, open, type Person, token } from "./visit.ts";

/** Somebody with a document that answers questions about hotels. */
async function wellRead(name: string): Promise<Person & { collection: string; document: string }> {
  const person = await newcomer(name);
  const collection = await call("POST", "/api/v1/collections", person.token, { name: "Handbook", access: "project" });
  const { document } = await call("POST", `/api/v1/collections/${collection.id}/documents/text`, person.token, {
    title: "Travel policy",
    text: "A hotel may cost at most 140 euros a night; in Zürich 220 euros. Receipts are handed in within 30 days.",
  });
  return { ...person, collection: collection.id, document: document.id };
}

onEmbedded("without knowledge there is nothing to ask, and the way to it is shown", async () => {
  const ann = await newcomer("Blank");
  const page = await open({ as: ann.email });
  await page.goto(`/o/${ann.org.slug}/ask`);
  await page.getByRole("heading", { name: "There is nothing to ask yet" }).waitFor();
  await look(page, "ask-empty");
  await page.getByRole("link", { name: "Add documents" }).click();
  await page.getByRole("heading", { name: "No knowledge yet" }).waitFor();
});

test("a question is answered, and the number opens the document at the passage", async () => {
  const ann = await wellRead("Asker");
  const page = await open({ as: ann.email });
  await page.goto(`/o/${ann.org.slug}/ask`);
  await page.getByRole("heading", { name: "What would you like to know?" }).waitFor();
  const field = page.getByLabel("Your question");
  const height = async () => (await field.boundingBox())?.height ?? 0;
  const line = await height();
  await look(page, "ask");
  await page.setViewportSize({ width: 360, height: 844 });
  await expect.poll(height, { message: "a window that becomes narrow leaves it as high as what is in it" }).toBe(line);
  await field.fill("one\ntwo\nthree");
  const lines = await height();
  expect(lines).toBeGreaterThan(2 * line);
  await field.fill("line\n".repeat(30));
  expect(await height()).toBeGreaterThan(lines);
  expect(await height(), "the page stays in sight").toBeLessThan(300);
  await page.setViewportSize({ width: 1280, height: 900 });
  await page.getByLabel("Your question").fill("How much may a hotel cost in Zürich?");
  await page.keyboard.press("Enter");
  const answer = page.getByRole("article", { name: "Answer" });
  await answer.getByText("in Zürich 220 euros").waitFor();
  await answer.getByText("not written by a language model").waitFor();
  await answer.getByText("rowhouse-extractive").waitFor();
  await page.getByRole("heading", { name: "How much may a hotel cost in Zürich?", level: 2 }).waitFor();
  await look(page, "conversation");
  await answer.getByRole("button", { name: "Source 1: Travel policy" }).first().click();
  const source = page.getByRole("dialog", { name: "Source 1: Travel policy" });
  await source.locator("mark").first().waitFor();
  expect(await source.locator("mark").first().textContent()).toContain("220 euros");
  await look(page, "conversation-source");
  // The source that is open is part of the address.
  await page.reload();
  await source.locator("mark").first().waitFor();
  await source.getByRole("link", { name: "Open the document" }).click();
  await page.getByRole("heading", { name: "Travel policy", level: 1 }).waitFor();
});

test("what nothing supports is said to be unknown", async () => {
  const ann = await wellRead("Doubter");
  const page = await open({ as: ann.email });
  await page.goto(`/o/${ann.org.slug}/ask`);
  await page.getByLabel("Your question").fill("Who won the cup final of 1974?");
  await page.getByRole("button", { name: "Ask", exact: true }).click();
  await page.getByText("I do not know from your documents.").waitFor();
  await page.getByText("Nothing was guessed.").waitFor();
});

onEmbedded("an answer is rated and corrected, and the correction becomes knowledge", async () => {
  const ann = await wellRead("Corrector");
  const page = await open({ as: ann.email });
  await page.goto(`/o/${ann.org.slug}/ask`);
  await page.getByLabel("Your question").fill("How much may a hotel cost in Zürich?");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Bad answer" }).click();
  const dialog = page.getByRole("dialog", { name: "What about this answer?" });
  await dialog.getByLabel("What would have been right?").fill("In Zürich a hotel may cost 250 euros since May.");
  await look(page, "ask-feedback");
  await dialog.getByRole("button", { name: "Send" }).click();
  await page.getByRole("button", { name: "Bad answer", pressed: true }).waitFor();
  await page.getByRole("button", { name: "Make it knowledge" }).click();
  const approve = page.getByRole("dialog", { name: "Make a correction knowledge" });
  await approve.getByRole("combobox", { name: "Collection" }).click();
  await page.getByRole("option", { name: "Handbook" }).click();
  await approve.getByRole("button", { name: "Make it knowledge" }).click();
  await page.getByText("It is a document now.").waitFor();
  const { data } = await call("GET", `/api/v1/collections/${ann.collection}/documents`, ann.token);
  expect(data.map((one: { source: string }) => one.source)).toContain("correction");
});

onEmbedded("a conversation is renamed, saved, and deleted", async () => {
  const ann = await wellRead("Keeper");
  const thread = await call("POST", "/api/v1/threads", ann.token, { title: "First name" });
  await call("POST", `/api/v1/threads/${thread.id}/messages`, ann.token, { content: "How much may a hotel cost?" });
  const page = await open({ as: ann.email });
  await page.goto(`/o/${ann.org.slug}/ask/${thread.id}`);
  await page.getByRole("button", { name: "Actions for First name" }).click();
  await page.getByRole("menuitem", { name: "Rename" }).click();
  await page.getByRole("dialog").getByLabel("Title").fill("Second <i>name</i>");
  await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
  await page.getByRole("heading", { name: "Second <i>name</i>", level: 2 }).waitFor();
  await page.getByRole("button", { name: "Actions for Second <i>name</i>" }).click();
  const saving = page.waitForEvent("download");
  await page.getByRole("menuitem", { name: "Save as Markdown" }).click();
  expect((await saving).suggestedFilename()).toMatch(/\.md$/);
  await page.getByRole("button", { name: "Actions for Second <i>name</i>" }).click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await page.getByRole("dialog", { name: "Delete this conversation?" }).getByRole("button", { name: "Delete" }).click();
  await page.getByText("What you ask appears here.").waitFor();
});

test("a shared conversation is read by others, who cannot ask in it", async () => {
  const ada = await token(ADA);
  const thread = await call("POST", "/api/v1/threads", ada, { title: "For Cleo", access: "project" });
  await call("POST", `/api/v1/threads/${thread.id}/messages`, ada, { content: "Is there an answer?" });
  const page = await open({ as: "cleo@acme.example" });
  await page.goto("/o/acme/ask");
  await page.getByText("Shared", { exact: true }).click();
  await page.getByRole("link", { name: /For Cleo/ }).click();
  await page.getByText("Only Ada Lindqvist can ask in this conversation.").waitFor();
  expect(await page.getByLabel("Your question").count()).toBe(0);
  expect(await page.getByRole("button", { name: "Good answer" }).count()).toBe(0);
  expect(await page.getByRole("button", { name: "Share", exact: true }).count()).toBe(0);
});

onEmbedded("an answer that is stopped, or breaks off, can be asked for again", async () => {
  const ann = await wellRead("Stopper");
  const page = await open({ as: ann.email, refusals: [503] });
  await page.goto(`/o/${ann.org.slug}/ask`);
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  await page.route(
    "**/messages",
    async (route) => {
      if (route.request().method() !== "POST") return route.continue();
      await held;
      await route.abort().catch(() => {});
    },
    { times: 1 },
  );
  await page.getByLabel("Your question").fill("How much may a hotel cost?");
  await page.keyboard.press("Enter");
  await page.getByText("Searching your documents…").waitFor();
  await page.getByRole("button", { name: "Stop", exact: true }).click();
  await page.getByText("You stopped this answer.").waitFor();
  release();
  await page.unroute("**/messages");
  await page.route(
    "**/messages",
    (route) => route.fulfill({ status: 503, json: { error: { type: "x", code: "busy", message: "Too much." } } }),
    { times: 1 },
  );
  await page.getByRole("button", { name: "Ask again" }).click();
  await page.getByRole("alert").getByText("The server is busy right now.").waitFor();
  await look(page, "ask-failed");
  await page.getByRole("button", { name: "Ask again" }).click();
  await page.getByRole("button", { name: "Good answer" }).waitFor();
});

test("a viewer is not offered to ask, and another's conversation is not there", async () => {
  const viewer = await open({ as: (await joined("Asked", "viewer")).email });
  await viewer.goto("/o/acme");
  const navigation = viewer.getByRole("navigation", { name: "Main navigation" });
  await navigation.getByRole("link", { name: "Knowledge" }).waitFor();
  expect(await navigation.getByRole("link", { name: "Ask" }).count()).toBe(0);
  const ann = await wellRead("Mine");
  const bob = await newcomer("Other");
  const thread = await call("POST", "/api/v1/threads", ann.token, { title: "Secret plans" });
  const page = await open({ as: bob.email, refusals: [404] });
  await page.goto(`/o/${bob.org.slug}/ask/${thread.id}`);
  await page.getByRole("alert").getByText("There is no such thing").waitFor();
  expect(await page.content()).not.toContain("Secret plans");
});

onEmbedded("the pages speak German", async () => {
  const ann = await wellRead("Deutsch");
  const page = await open({ as: ann.email, language: "de-DE" });
  await page.goto(`/o/${ann.org.slug}/ask`);
  await page.getByLabel("Ihre Frage").fill("How much may a hotel cost?");
  await page.keyboard.press("Enter");
  await page.getByText("nicht von einem Sprachmodell geschrieben").waitFor();
  await look(page, "ask-german");
  await page.goto(`/o/${ann.org.slug}/knowledge/collections/${ann.collection}`);
  await page.getByText("Dateien hierher ziehen").waitFor();
  await page.getByRole("table", { name: "Dokumente" }).getByText("Bereit").waitFor();
  await look(page, "collection-german");
});
