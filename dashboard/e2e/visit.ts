/** People, pages, and what must be true of every page whatever its test is about. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { expect, inject, onTestFinished } from "vitest";
import { environment } from "./house.ts";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
/** Where the pictures go: for people to look at, so outside of what is tracked. */
const SHOTS = process.env.ROWHOUSE_SHOTS ?? join(tmpdir(), "rowhouse-shots");
export const WIDTHS = [1280, 360] as const;
/** The password of everybody whom the tests sign up, and of the demo world. */
export const PASSWORD = "come in and look around";

export const address = inject("address");
let browser: Promise<Browser> | undefined;

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

let count = 0;

/** Somebody new with an organisation of their own. */
export async function newcomer(name: string, organisation = `${name}'s house`): Promise<Person> {
  count += 1;
  const email = `${name.toLowerCase()}.${process.pid}.${count}@example.com`;
  const made = await call("POST", "/api/v1/auth/signup", undefined, {
    email,
    password: PASSWORD,
    name,
    organization_name: organisation,
  });
  return { email, name, org: made.organization, token: made.access_token };
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
  browser ??= chromium.connect(inject("browser"));
  const context = await (await browser).newContext({
    viewport: { width, height: width < 600 ? 844 : 900 },
    colorScheme: scheme,
    locale: language,
    timezoneId: "UTC",
    reducedMotion: "reduce",
    baseURL: address,
  });
  const trouble: string[] = [];
  watch(context, trouble, [...refusals.map((status) => `status of ${status} `), ...(cuts ? ["net::ERR_"] : [])]);
  onTestFinished(async () => {
    await context.close();
    expect(trouble).toEqual([]);
  });
  // So: the policy of the pages lets no test put a script into them later.
  await context.addInitScript({ content: AXE });
  if (as) await signedIn(context, as);
  return context.newPage();
}

/** A second page of the same browser: another tab. */
export function anotherTab(page: Page): Promise<Page> {
  return page.context().newPage();
}

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
async function signedIn(context: BrowserContext, email: string) {
  const answer = await context.request.post("/api/v1/auth/session", { data: { email, password: PASSWORD } });
  expect(answer.status()).toBe(201);
  await context.addInitScript(() => {
    // Once, and on pages alone: a test may sign out.
    if (window.location.protocol !== "http:" || window.sessionStorage.getItem("seen")) return;
    window.sessionStorage.setItem("seen", "yes");
    window.localStorage.setItem("rowhouse.signed-in", "yes");
  });
}

/** Signs in by the page of sign-in. */
export async function signIn(page: Page, email: string, password = PASSWORD) {
  await page.getByLabel("Email address").fill(email);
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
}

/**
 * Looks at a page as it is: nothing scrolls sideways, axe finds nothing serious, and a picture is taken, at two widths. Once: on PostgreSQL
 * pages look no different.
 */
export async function look(page: Page, name: string) {
  if ("ROWHOUSE_DATABASE_URL" in inject("settings")) return;
  const before = page.viewportSize();
  for (const width of WIDTHS) expect(await seen(page, name, width)).toEqual([]);
  if (before) await page.setViewportSize(before);
}

/** What is wrong with a page as it is at a width; its picture is named after both and the theme. */
export async function seen(page: Page, name: string, width: number): Promise<string[]> {
  mkdirSync(SHOTS, { recursive: true });
  await page.setViewportSize({ width, height: width < 600 ? 844 : 900 });
  const theme = await page.evaluate(() => document.documentElement.getAttribute("data-mantine-color-scheme"));
  const picture = `${name}-${width}-${theme}`;
  await calm(page);
  await page.screenshot({ path: join(SHOTS, `${picture}.png`) });
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  const wrong = await faults(page);
  if (wide > 0) wrong.push(`scrolls sideways by ${wide}`);
  return wrong.map((fault) => `${picture}: ${fault}`);
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
  const found = await page.evaluate(async () => {
    // biome-ignore lint/suspicious/noExplicitAny: axe was put there when the page was opened
    const { violations } = await (window as any).axe.run(document, {
      runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    });
    return violations as { id: string; impact: string; nodes: { html: string; failureSummary: string }[] }[];
  });
  return found
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(
      ({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join("\n  ")}`,
    );
}

/** Makes somebody who runs the installation. */
export function operator(email: string): string {
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
