import { expect, test } from "vitest";
import { CONSOLE, DOORS, furnish, PLACES, settled } from "./pages.ts";
import { ADA, newcomer, open, operator, SHOTS, seen, token, type WIDTHS } from "./visit.ts";

type Look = readonly ["light" | "dark", (typeof WIDTHS)[number]];

/** Each width and each theme once; for pictures, each with each. */
const LOOKS: readonly Look[] = [
  ["light", 1280],
  ...(SHOTS ? ([["light", 360]] as const) : []),
  ["dark", 360],
  ...(SHOTS ? ([["dark", 1280]] as const) : []),
];
/** How many pages are looked at beside each other: most of the time of each is waiting. */
const BESIDE = 3;

/** Walks over pages, and gives everything that is wrong with any. */
async function walk(
  as: string | undefined,
  pages: readonly { name: string; path: string }[],
  looks = LOOKS,
): Promise<string[]> {
  const wrong: string[] = [];
  const left = [...pages];
  const one = async () => {
    const page = await open({ as });
    for (let next = left.shift(); next; next = left.shift()) {
      await page.goto(next.path);
      await settled(page);
      for (const [scheme, width] of looks) {
        await page.emulateMedia({ colorScheme: scheme });
        await page.locator(`html[data-mantine-color-scheme="${scheme}"]`).waitFor();
        wrong.push(...(await seen(page, next.name, width)));
      }
    }
  };
  await Promise.all(Array.from({ length: BESIDE }, one));
  return wrong;
}

test("no page of an organisation has a serious fault, at any width, light or dark", { timeout: 240_000 }, async () => {
  const ids = await furnish(await token(ADA), "Walked");
  const pages = PLACES.map(({ name, path }) => ({ name: `page-${name}`, path: `/o/acme${path(ids)}` }));
  expect(await walk(ADA, pages)).toEqual([]);
});

test("no page of a new organisation has a serious fault where it is empty", { timeout: 240_000 }, async () => {
  const ann = await newcomer("Fresh");
  const empty = PLACES.filter(({ route }) => !route.includes("$"));
  const pages = empty.map(({ name, route }) => ({ name: `empty-${name}`, path: `/o/${ann.org.slug}${route}` }));
  // The frame around them is that of the pages above.
  expect(await walk(ann.email, pages, SHOTS ? LOOKS : LOOKS.slice(-1))).toEqual([]);
});

test("no page outside of organisations has a serious fault", { timeout: 240_000 }, async () => {
  const doors = DOORS.map((path) => ({ name: `door${path.replaceAll("/", "-")}`, path }));
  expect(await walk(undefined, doors)).toEqual([]);
  const ann = await newcomer("Walker");
  const rooms = [
    ...CONSOLE.map(({ name, route }) => ({ name: `page-${name}`, path: route })),
    { name: "page-operator-org", path: `/operator/orgs/${ann.org.id}` },
    { name: "page-welcome", path: "/welcome" },
  ];
  expect(await walk(operator("walk"), rooms)).toEqual([]);
});
