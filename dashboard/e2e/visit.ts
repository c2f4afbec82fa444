/** People, pages, and what must be true of every page whatever its test is about. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { expect, inject, onTestFinished, test } from "vitest";
import { environment } from "./house.ts";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
/** Where pictures go, for people to look at; none are taken where nobody said. */
export const SHOTS = process.env.ROWHOUSE_SHOTS;
const NARROW = 360;
export const WIDTHS = [1280, NARROW] as const;
/** The password of everybody whom the tests sign up, and of the demo world. */
export const PASSWORD = "come in and look around";

export const address = inject("address");

const onPostgres = "ROWHOUSE_DATABASE_URL" in inject("settings");
/** A test of what is the browser's matter: once is enough. */
export const onEmbedded = test.skipIf(onPostgres);

/** What the files that run in this process have in common: one browser for each house. */
const common = globalThis as { browsers?: Map<string, Kept> };
common.browsers ??= new Map();

/** A browser, and its visits that no test uses now, by their language. What they have loaded of the pages' scripts serves the next test. */
interface Kept {
  browser: Promise<Browser>;
  idle: Map<string, Visit[]>;
  /** How many newcomers there were. */
  newcomers: number;
  /** How often words were used (`anew`). */
  words: Map<string, number>;
}

function kept(): Kept {
  const at = inject("browser");
  const known = common.browsers?.get(at) ?? {
    browser: chromium.connect(at),
    idle: new Map(),
    newcomers: 0,
    words: new Map(),
  };
  common.browsers?.set(at, known);
  return known;
}

/** Somebody who can sign in. */
export interface Person {
  email: string;
  name: string;
  /** The organisation that they have had from the start. */
  org: { id: string; slug: string; name: string };
  /** For calls without a browser. */
  token: string;
}

export const ADA = "ada@acme.example";
export const DAN = "dan@acme.example";

/** Somebody new with an organisation of their own. */
export async function newcomer(name: string, organisation = `${name}'s house`): Promise<Person> {
  const all = kept();
  all.newcomers += 1;
  const email = `${name.toLowerCase()}.${process.pid}.${all.newcomers}@example.com`;
  const made = await call("POST", "/api/v1/auth/signup", undefined, {
    email,
    password: PASSWORD,
    name,
    organization_name: organisation,
  });
  return { email, name, org: made.organization, token: made.access_token };
}

/** Somebody new whom Ada let into Acme, with nothing there but a role. */
export async function joined(name: string, role: string): Promise<Person> {
  const person = await newcomer(name);
  const invitation = await call("POST", "/api/v1/invitations", await token(ADA), { email: person.email, role });
  await call("POST", "/api/v1/invitations/accept", person.token, { token: invitation.token });
  return person;
}

/** What somebody calls the API with, without a browser. */
export async function token(email: string): Promise<string> {
  return (await call("POST", "/api/v1/auth/login", undefined, { email, password: PASSWORD })).access_token;
}

/** Calls the API without a browser. */
// biome-ignore lint/suspicious/noExplicitAny: tests look into answers of many forms
export async function call(method: string, path: string, token?: string, body?: unknown, org?: string): Promise<any> {
  const response = await fetch(`${address}${path}`, {
    method,
    headers: {
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...(token ? { authorization: `Bearer ${token}` } : {}),
      ...(org ? { "x-rowhouse-org": org } : {}),
    },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return text ? JSON.parse(text) : undefined;
}

/** What a browser may say without failing the test: parts of messages. */
interface Options {
  /** Who is signed in from the start. */
  as?: string;
  /** Refusals that the test is about: the browser notes each in its console. */
  refusals?: readonly number[];
  /** Whether the test cuts connections, which the browser notes, too. */
  cuts?: boolean;
  width?: number;
  scheme?: "light" | "dark";
  language?: string;
}

/** Somebody's browser with a page; before they go anywhere it has no cookie and keeps nothing. */
interface Visit {
  context: BrowserContext;
  page: Page;
}

/** An address at which no page is: what a browser keeps for the server's pages is to be had there. */
const NOWHERE = "/favicon.svg";

/**
 * Opens a window of its own. A script error, a word of the browser's console, a violation of the policy, a call to another site fails the
 * test at its end, whatever else went well.
 */
export async function open({
  as,
  refusals = [],
  cuts = false,
  width = 1280,
  scheme = "light",
  language = "en-GB",
}: Options = {}): Promise<Page> {
  const visit = kept().idle.get(language)?.pop() ?? (await unused(language));
  const { context, page } = visit;
  const trouble: string[] = [];
  watch(context, trouble, [...refusals.map((status) => `status of ${status} `), ...(cuts ? ["net::ERR_"] : [])]);
  onTestFinished(async ({ task }) => {
    if (task.result?.state === "fail") {
      // Whoever is in the middle of something may leave anything behind.
      trouble.push(
        `stood at ${page.url()}:`,
        await page.locator("body").ariaSnapshot({ timeout: 1_000 }).catch(String),
      );
      await context.close();
    } else await leave(visit, language);
    expect(trouble).toEqual([]);
  });
  await page.setViewportSize({ width, height: width < 600 ? 844 : 900 });
  await page.emulateMedia({ colorScheme: scheme });
  if (as) await signedIn(visit, as);
  return page;
}

async function unused(language: string): Promise<Visit> {
  const context = await (await kept().browser).newContext({
    locale: language,
    timezoneId: "UTC",
    reducedMotion: "reduce",
    baseURL: address,
  });
  return { context, page: await context.newPage() };
}

/** Makes a visit one that nobody has begun. */
async function leave(visit: Visit, language: string) {
  const { context, page } = visit;
  for (const other of context.pages()) if (other !== page) await other.close();
  await page.unrouteAll({ behavior: "ignoreErrors" });
  await page.goto(NOWHERE);
  await page.evaluate(() => {
    window.localStorage.clear();
    window.sessionStorage.clear();
  });
  await context.clearCookies();
  for (const event of LISTENED) {
    page.removeAllListeners(event);
    context.removeAllListeners(event);
  }
  const { idle } = kept();
  idle.set(language, [...(idle.get(language) ?? []), visit]);
}

/** A second page of the same browser: another tab. */
export function anotherTab(page: Page): Promise<Page> {
  return page.context().newPage();
}

/** What tests listen to. */
const LISTENED = ["console", "weberror", "request", "response"];

function watch(context: BrowserContext, trouble: string[], expected: readonly string[]) {
  context.on("console", (message) => {
    const text = message.text();
    const told = message.type() === "error" || message.type() === "warning";
    if (told && !expected.some((part) => text.includes(part))) trouble.push(text);
  });
  context.on("weberror", (error) => trouble.push(String(error.error())));
  context.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(address) && !url.startsWith("data:") && !url.startsWith("blob:")) trouble.push(`called ${url}`);
  });
}

/** Gives a browser the session of somebody, as the page of sign-in would. */
async function signedIn({ context, page }: Visit, email: string) {
  const answer = await context.request.post("/api/v1/auth/session", { data: { email, password: PASSWORD } });
  expect(answer.status()).toBe(201);
  await page.goto(NOWHERE);
  await page.evaluate(() => window.localStorage.setItem("rowhouse.signed-in", "yes"));
}

/** Signs in by the page of sign-in. */
export async function signIn(page: Page, email: string, password = PASSWORD) {
  await page.getByLabel("Email address").fill(email);
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
}

/**
 * Looks at a page as it is: axe finds nothing serious, nothing scrolls sideways where there is little room, and pictures are taken. Once: on PostgreSQL
 * pages look no different.
 */
export async function look(page: Page, name: string) {
  if (onPostgres) return;
  const before = page.viewportSize();
  await calm(page);
  const wrong = await faults(page);
  for (const width of SHOTS ? WIDTHS : [NARROW]) wrong.push(...(await drawn(page, name, width)));
  expect(wrong).toEqual([]);
  if (before) await page.setViewportSize(before);
}

/** What is wrong with a page as it is at a width. */
export async function seen(page: Page, name: string, width: number): Promise<string[]> {
  const wrong = await drawn(page, name, width);
  return [...wrong, ...(await faults(page)).map((fault) => `${name}, ${width}: ${fault}`)];
}

/** Draws a page as it is at a width; its picture is named after both and the theme. */
async function drawn(page: Page, name: string, width: number): Promise<string[]> {
  await page.setViewportSize({ width, height: width < 600 ? 844 : 900 });
  await calm(page);
  if (SHOTS) {
    mkdirSync(SHOTS, { recursive: true });
    const theme = await page.evaluate(() => document.documentElement.getAttribute("data-mantine-color-scheme"));
    await page.screenshot({ path: join(SHOTS, `${name}-${width}-${theme}.png`) });
  }
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  return wide > 0 ? [`${name}, ${width}: scrolls sideways by ${wide}`] : [];
}

/** Waits for colours that are on their way to others; what is inside of something follows when that is there. */
function calm(page: Page): Promise<void> {
  return page.evaluate(async () => {
    const changing = () => document.getAnimations().filter((animation) => animation instanceof CSSTransition);
    for (let some = changing(); some.length > 0; some = changing()) {
      await Promise.allSettled(some.map(({ finished }) => finished));
    }
  });
}

/** What axe finds that matters: each rule with the elements that break it. */
export async function faults(page: Page): Promise<string[]> {
  if (!(await page.evaluate(() => "axe" in window))) {
    // By the debugger's way in: the policy of the pages lets no other script into them.
    const session = await page.context().newCDPSession(page);
    await session.send("Runtime.evaluate", { expression: AXE });
    await session.detach();
  }
  const found = await page.evaluate(async () => {
    // biome-ignore lint/suspicious/noExplicitAny: axe is no part of the page
    const { violations } = await (window as any).axe.run(document, {
      runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
      resultTypes: ["violations"],
    });
    return violations as { id: string; impact: string; nodes: { html: string; failureSummary: string }[] }[];
  });
  return found
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(
      ({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join("\n  ")}`,
    );
}

/** A word that no earlier try of a test has used: what it called so then is still there. */
export function anew(word: string): string {
  const { words } = kept();
  const tries = (words.get(word) ?? 0) + 1;
  words.set(word, tries);
  return tries === 1 ? word : `${word}${tries}`;
}

/** Makes somebody who runs the installation; gives their address. */
export function operator(name: string): string {
  const email = `op.${anew(name)}@example.com`;
  const file = join(inject("folder"), `${email}.password`);
  writeFileSync(file, PASSWORD);
  program("operator", "create", "--email", email, "--name", "Olga", "--password-file", file);
  return email;
}

/** Runs a command of the program on the data of the server that is tested. */
function program(...args: string[]): string {
  const env = environment(inject("settings"));
  return execFileSync(process.env.ROWHOUSE_BINARY ?? "", args, { cwd: inject("folder"), env, encoding: "utf8" });
}

/** The secret in the newest mail to somebody whose subject has some words; asked of the program as an operator would. */
export function mailed(email: string, subject: string): string {
  const list = JSON.parse(program("mail", "list", "--json")) as {
    data: { id: string; recipient: string; subject: string }[];
  };
  const mail = list.data.find((each) => each.recipient === email && each.subject.includes(subject));
  if (!mail) throw new Error(`no mail to ${email} about ${subject} in ${JSON.stringify(list)}`);
  const link = /https?:\S+[?#]token=\S+/.exec(program("mail", "show", mail.id));
  if (!link) throw new Error(`no link in the mail about ${subject}`);
  return link[0];
}
