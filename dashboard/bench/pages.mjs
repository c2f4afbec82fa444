// Measures pages in a real browser: `node bench/pages.mjs ADDRESS EMAIL PASSWORD COLLECTION` prints one JSON object, times in
// milliseconds. The browser tells the times itself, from the press of a link to the frame in which its page stands.
import { chromium } from "playwright-core";

const [address, email, password, collection] = process.argv.slice(2);
const ROUNDS = 7;
const AREAS = [
  "Members",
  "Teams",
  "Projects",
  "Roles",
  "API keys",
  "Usage",
  "Models",
  "Audit log",
  "Knowledge",
  "Settings",
];

const browser = await chromium.launch({
  executablePath: process.env.ROWHOUSE_BROWSER,
  args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"],
});

const median = (times) => [...times].sort((a, b) => a - b)[Math.floor(times.length / 2)];

async function visit(signedIn) {
  const context = await browser.newContext({
    baseURL: address,
    viewport: { width: 1280, height: 900 },
    locale: "en-GB",
  });
  const page = await context.newPage();
  if (signedIn) {
    const answer = await context.request.post("/api/v1/auth/session", { data: { email, password } });
    if (answer.status() !== 201) throw new Error(`signing in answered ${answer.status()}`);
    await page.goto("/favicon.svg");
    await page.evaluate(() => window.localStorage.setItem("rowhouse.signed-in", "yes"));
  }
  return page;
}

/** When a page that is loaded anew, by a browser that has nothing of it, shows content for the first time. */
async function firstPaint(signedIn, heading) {
  const times = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const page = await visit(signedIn);
    await page.goto("/");
    await page.getByRole("heading", { level: 1, name: heading }).waitFor();
    times.push(
      // What stands in the page is painted with the next frame.
      await page.evaluate(
        () =>
          new Promise((resolve) => {
            new PerformanceObserver((list) => {
              const paint = list.getEntriesByName("first-contentful-paint")[0];
              if (paint) resolve(paint.startTime);
            }).observe({ type: "paint", buffered: true });
          }),
      ),
    );
    await page.context().close();
  }
  return median(times);
}

/** Presses something in the page and waits, frame by frame, until what it leads to stands there; gives how long that took. */
function pressed(page, press, stands) {
  return page.evaluate(
    ([press, stands]) =>
      new Promise((resolve, reject) => {
        const find = {
          link: (name) => [...document.querySelectorAll("nav a")].find((link) => link.textContent.trim() === name),
          button: (name) => document.querySelector(`button[aria-label="${name}"]`),
        };
        const loading = () => document.querySelector('main [aria-busy="true"], main .mantine-Skeleton-root') !== null;
        const before = document.querySelector("main")?.textContent;
        const is = {
          // Content, and not what stands in its place.
          heading: (name) => document.querySelector("main h1")?.textContent === name,
          page: (name) =>
            document.querySelector("main")?.textContent?.includes(name) &&
            document.querySelector("main").textContent !== before,
        };
        const began = performance.now();
        find[press.kind](press.name).click();
        const look = () => {
          if (performance.now() - began > 10_000) reject(new Error(`${stands.name} does not come`));
          else if (is[stands.kind](stands.name) && !loading())
            requestAnimationFrame(() => resolve(performance.now() - began));
          else requestAnimationFrame(look);
        };
        requestAnimationFrame(look);
      }),
    [press, stands],
  );
}

const login = await firstPaint(false, "Sign in");
const home = await firstPaint(true, /^Hello/);

const page = await visit(true);
await page.goto("/");
await page.getByRole("heading", { level: 1 }).waitFor();
const org = new URL(page.url()).pathname;
const titles = { "API keys": "API keys", Usage: "Usage and budgets", Settings: "Settings" };
const first = [];
const again = [];
for (const times of [first, again, again]) {
  for (const area of AREAS) {
    const heading = titles[area] ?? area;
    times.push(await pressed(page, { kind: "link", name: area }, { kind: "heading", name: heading }));
  }
}

// What keeps the page from answering for longer than 50 ms is told by the browser.
await page.addInitScript(() => {
  window.frozen = 0;
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) window.frozen = Math.max(window.frozen, duration);
  }).observe({ type: "longtask" });
});
const turn = async (path, most) => {
  await page.goto(`${org}${path}`);
  await page.getByRole("table").first().waitFor();
  await page.getByRole("button", { name: "Next page" }).waitFor();
  // Loading the page itself was measured above.
  await page.evaluate(() => {
    window.frozen = 0;
  });
  const times = [];
  for (let next = 2; next <= most; next += 1) {
    times.push(await pressed(page, { kind: "button", name: "Next page" }, { kind: "page", name: `Page ${next}` }));
    await page.mouse.wheel(0, 4000);
  }
  return median(times);
};
let frozen = 0;
const documents = await turn(`/knowledge/collections/${collection}`, 12);
frozen = Math.max(frozen, await page.evaluate(() => window.frozen));
const log = await turn("/usage/log", 12);
const began = Date.now();
await page.getByLabel("Model", { exact: true }).fill("gpt-4.1");
await page.waitForURL(/model=gpt-4\.1/);
await page
  .getByRole("row", { name: /gpt-4o-mini/ })
  .first()
  .waitFor({ state: "detached" });
await page
  .getByRole("row", { name: /gpt-4\.1/ })
  .first()
  .waitFor();
const filter = Date.now() - began;
frozen = Math.max(frozen, await page.evaluate(() => window.frozen));
await browser.close();

process.stdout.write(
  JSON.stringify({
    login_ms: login,
    home_ms: home,
    first_ms: median(first),
    first_slowest_ms: Math.max(...first),
    again_ms: median(again),
    documents_ms: documents,
    log_ms: log,
    filter_ms: filter,
    frozen_ms: frozen,
  }),
);
