import { expect, test } from "vitest";
import { ADA, call, DAN, look, newcomer, onEmbedded, open, PASSWORD } from "./visit.ts";

test("somebody is invited, and the link is shown once and works", async () => {
  const ann = await newcomer("Inviter");
  const page = await open({ as: ann.email });
  await page.goto(`/o/${ann.org.slug}/members`);
  await page.getByRole("link", { name: "Invite people" }).click();
  const dialog = page.getByRole("dialog", { name: "Invite somebody" });
  await dialog.getByRole("button", { name: "Send invitation" }).click();
  await dialog.getByText("Please fill this in").waitFor();
  const email = `invited.${process.pid}@example.com`;
  await dialog.getByLabel("Mail address").fill(email);
  await look(page, "invite");
  await dialog.getByRole("button", { name: "Send invitation" }).click();
  const sent = page.getByRole("dialog", { name: "Invitation sent" });
  await sent.getByText("This is shown once").waitFor();
  const link = await sent.getByText(/^https?:\S+token=\S+$/).textContent();
  expect(link).toContain("/invitations/accept");
  await look(page, "invited");
  await sent.getByRole("button", { name: "Close", exact: true }).last().click();
  await sent.waitFor({ state: "hidden" });
  expect(await page.content(), "the link is gone with its dialog").not.toContain(link ?? "nothing");
  const row = page.getByRole("row", { name: new RegExp(email) });
  await row.getByText("Open").waitFor();
  await look(page, "invitations");

  await row.getByRole("button", { name: `Actions for ${email}` }).click();
  await page.getByRole("menuitem", { name: "Revoke" }).click();
  await page.getByRole("dialog").getByText("The link stops working at once.").waitFor();
  await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
  await page.getByRole("heading", { name: "Nobody is invited right now" }).waitFor();
  await look(page, "invitations-empty");
});

test("a team is made below another, somebody is put in and taken out, and it is deleted", async () => {
  const ann = await newcomer("Teams");
  const page = await open({ as: ann.email });
  await page.goto(`/o/${ann.org.slug}/teams`);
  await page.getByRole("heading", { name: "No teams yet" }).waitFor();
  await look(page, "teams-empty");
  await page.getByRole("button", { name: "Create team" }).first().click();
  await page.getByRole("dialog").getByLabel("Name").fill("Upper <b> مرحبا");
  await page.getByRole("dialog").getByRole("button", { name: "Create team" }).click();
  await page.getByRole("heading", { name: "Upper <b> مرحبا", level: 2 }).waitFor();
  await page.getByRole("button", { name: "Actions for Upper <b> مرحبا" }).click();
  await page.getByRole("menuitem", { name: "Create team below" }).click();
  await page.getByRole("dialog").getByLabel("Name").fill("Lower");
  await page.getByRole("dialog").getByRole("button", { name: "Create team" }).click();
  await page.getByRole("heading", { name: "Lower", level: 2 }).waitFor();

  await page.getByRole("button", { name: "Add person" }).first().click();
  const dialog = page.getByRole("dialog", { name: "Add somebody to Lower" });
  await dialog.getByRole("button", { name: "Add person" }).click();
  await dialog.getByText("Please choose somebody").waitFor();
  await dialog
    .getByRole("combobox", { name: "Person" })
    .or(dialog.getByRole("textbox", { name: "Person" }))
    .click();
  await page.getByRole("option", { name: "Teams" }).click();
  await dialog.getByRole("button", { name: "Add person" }).click();
  const row = page.getByRole("row", { name: new RegExp(ann.email) });
  await row.getByText("Member", { exact: true }).waitFor();
  await look(page, "teams");
  await row.getByRole("button", { name: "Actions for Teams" }).click();
  await page.getByRole("menuitem", { name: "Take out of the team" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Take out of the team" }).click();
  await page.getByRole("heading", { name: "Nobody is in this team yet" }).waitFor();

  await page.getByRole("button", { name: "Actions for Lower" }).click();
  await page.getByRole("menuitem", { name: "Delete team" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete team" }).click();
  await page.getByRole("heading", { name: "Upper <b> مرحبا", level: 2 }).waitFor();
  const { data } = await call("GET", "/api/v1/teams", ann.token);
  expect(data).toHaveLength(1);
});

onEmbedded("what was half written comes back where it was written, and not over somebody else's change", async () => {
  const ann = await newcomer("Drafter");
  const [upper, other] = [
    await call("POST", "/api/v1/teams", ann.token, { name: "Upper" }),
    await call("POST", "/api/v1/teams", ann.token, { name: "Other" }),
  ];
  const page = await open({ as: ann.email });
  const dialog = page.getByRole("dialog");
  const name = dialog.getByLabel("Name");
  const restored = dialog.getByText("What you had typed was restored.");
  const begin = async (team: { id: string; name: string }, deed: string) => {
    await page.goto(`/o/${ann.org.slug}/teams?team=${team.id}`);
    await page.getByRole("button", { name: `Actions for ${team.name}` }).click();
    await page.getByRole("menuitem", { name: deed }).click();
    await name.waitFor();
  };
  await begin(upper, "Create team below");
  await name.fill("Half");
  await begin(other, "Create team below");
  expect(await name.inputValue()).toBe("");
  await begin(upper, "Create team below");
  await restored.waitFor();
  expect(await name.inputValue()).toBe("Half");
  await look(page, "restored");
  await dialog.getByRole("button", { name: "Discard it" }).click();
  await restored.waitFor({ state: "hidden" });
  expect(await name.inputValue()).toBe("");

  await begin(upper, "Rename or move");
  await name.fill("Half a name");
  await begin(upper, "Rename or move");
  await restored.waitFor();
  expect(await name.inputValue()).toBe("Half a name");
  const renamed = await call("PATCH", `/api/v1/teams/${upper.id}`, ann.token, { name: "Uppermost" });
  await begin(renamed, "Rename or move");
  expect(await name.inputValue()).toBe("Uppermost");
  expect(await restored.count()).toBe(0);
});

test("a project is made, archived and deleted by its name", async () => {
  const ann = await newcomer("Projects");
  const page = await open({ as: ann.email });
  await page.goto(`/o/${ann.org.slug}/projects`);
  await page.getByRole("heading", { name: "No projects yet" }).waitFor();
  await page.getByRole("button", { name: "Create project" }).first().click();
  await page.getByRole("dialog").getByLabel("Name").fill("Moon");
  await page.getByRole("dialog").getByRole("button", { name: "Create project" }).click();
  await page.getByRole("heading", { name: "Moon", level: 1 }).waitFor();
  await page.getByRole("row", { name: new RegExp(ann.email) }).waitFor();
  await look(page, "project");
  await page.getByRole("button", { name: "Archive" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Archive" }).click();
  await page.getByRole("button", { name: "Delete for good" }).click();
  const question = page.getByRole("dialog");
  expect(await question.getByRole("button", { name: "Delete for good" }).isDisabled()).toBe(true);
  await question.getByLabel("Type “Moon” to confirm").fill("Moon");
  await question.getByRole("button", { name: "Delete for good" }).click();
  await page.getByRole("heading", { name: "No projects yet" }).waitFor();
});

onEmbedded("a change replaces nothing that somebody else changed since it was begun", async () => {
  const ann = await newcomer("Slow");
  const project = await call("POST", "/api/v1/projects", ann.token, { name: "Comet" });
  const page = await open({ as: ann.email, refusals: [412] });
  const listening = page.waitForResponse((response) => response.url().endsWith("/api/v1/events"));
  await page.goto(`/o/${ann.org.slug}/projects/${project.id}`);
  await listening;
  await page.getByRole("button", { name: "Change", exact: true }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name").fill("Mine");
  await call("PATCH", `/api/v1/projects/${project.id}`, ann.token, { name: "Theirs" });
  // The page behind the form is kept up to date.
  await page.getByRole("heading", { name: "Theirs", level: 1, includeHidden: true }).waitFor({ state: "attached" });
  expect(await dialog.getByLabel("Name").inputValue()).toBe("Mine");
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.getByText("Somebody changed this in the meantime.").waitFor();
  expect((await call("GET", `/api/v1/projects/${project.id}`, ann.token)).name).toBe("Theirs");
});

test("roles are compared, and a decision is explained", async () => {
  const page = await open({ as: ADA });
  await page.goto("/o/acme/roles");
  await page.getByRole("columnheader", { name: "Viewer" }).waitFor();
  await look(page, "roles");
  await page.goto("/o/acme/members");
  await page.getByRole("button", { name: "Actions for Dan Sørensen" }).click();
  await page.getByRole("menuitem", { name: "Details" }).click();
  await page.getByRole("link", { name: "Who can do what, and why" }).click();
  const what = page.getByRole("combobox", { name: "May they …" }).or(page.getByRole("textbox", { name: "May they …" }));
  await what.click();
  await page.getByRole("option", { name: "invite people" }).click();
  await page.getByText("No, Dan Sørensen may not.").waitFor();
  await page.getByText("Nothing that is held gives invitations.create").waitFor();
  await look(page, "why");
});

onEmbedded("a viewer sees the people, and nothing that would be refused", async () => {
  const page = await open({ as: DAN });
  await page.goto("/o/acme/members");
  await page.getByText("ben@acme.example").waitFor();
  expect(await page.getByRole("link", { name: "Invite people" }).count()).toBe(0);
  await page.getByRole("button", { name: "Actions for Ben Okafor" }).click();
  await page.getByRole("menuitem", { name: "Details" }).waitFor();
  expect(await page.getByRole("menuitem").count()).toBe(1);
  await page.keyboard.press("Escape");
  await page.goto("/o/acme/teams");
  await page.getByRole("heading", { name: "Engineering", level: 2 }).waitFor();
  expect(await page.getByRole("button", { name: "Create team" }).count()).toBe(0);
  expect(await page.getByRole("button", { name: "Add person" }).count()).toBe(0);
  await page.goto("/o/acme/settings/organisation");
  await page.getByRole("heading", { name: "Plan" }).waitFor();
  expect(await page.getByRole("button", { name: "Close organisation" }).count()).toBe(0);
  expect(await page.getByRole("link", { name: "Webhooks" }).count()).toBe(0);
  await page.goto("/o/acme/audit");
  await page.getByText("Your role does not allow this.").waitFor();
});

test("the log is searched, and is whole", async () => {
  const page = await open({ as: ADA });
  await page.goto("/o/acme/audit?action=team.created");
  await page.getByText(/^Verified: \d+ entries, unbroken$/).waitFor();
  await page.getByRole("cell", { name: "Engineering" }).waitFor();
  expect(await page.getByText("member.joined", { exact: true }).count()).toBe(0);
  await look(page, "audit");
  await page
    .getByRole("button", { name: /^Details of entry/ })
    .first()
    .click();
  await page.getByRole("dialog").getByText("Hash of the chain").waitFor();
});

onEmbedded("pages of settings can be read by everybody", async () => {
  const ann = await newcomer("Settings");
  const page = await open({ as: ann.email });
  const at = `/o/${ann.org.slug}/settings`;
  for (const [path, heading, shot] of [
    ["", "Mail address", "profile"],
    ["/security", "Where you are signed in", "security"],
    ["/preferences", "Earlier versions", "preferences"],
    ["/organisation", "Close the organisation", "organisation"],
    ["/sign-in", "No mail domains", "sign-in-rules"],
    ["/webhooks", "No webhooks", "webhooks"],
  ] as const) {
    await page.goto(`${at}${path}`);
    await page.getByRole("heading", { name: heading }).waitFor();
    await look(page, `settings-${shot}`);
  }
});

onEmbedded("a name, a password and a preference are changed", async () => {
  const ann = await newcomer("Changer");
  const page = await open({ as: ann.email, refusals: [401, 403, 422] });
  const at = `/o/${ann.org.slug}/settings`;
  await page.goto(at);
  await page.getByLabel("Name", { exact: true }).fill("Changed <i> 🔑");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("Your name was saved.").waitFor();
  await page.getByRole("button", { name: "Account of Changed <i> 🔑" }).waitFor();

  await page.goto(`${at}/security`);
  await page.getByLabel("Current password").fill("not this one at all");
  await page.getByLabel("New password", { exact: true }).fill("a sentence nobody else would say");
  await page.getByRole("button", { name: "Change password" }).click();
  await page.getByText("This is not your current password").waitFor();
  await page.getByLabel("Current password").fill(PASSWORD);
  await page.getByRole("button", { name: "Change password" }).click();
  await page.getByText("Your password was changed.").waitFor();

  await page.goto(`${at}/preferences`);
  const language = page.getByRole("combobox", { name: "Language" }).or(page.getByRole("textbox", { name: "Language" }));
  await language.click();
  await page.getByRole("option", { name: "Deutsch" }).click();
  await page.getByText("Von Ihnen gesetzt").waitFor();
  await look(page, "preferences-german");
});
