import { expect, test } from "vitest";
import type { Schemas } from "@/lib/api/client";
import { addressOf, findOrg } from "./org";

const org = (id: string, slug: string) => ({ id, slug }) as Schemas["Belongs"];
const mine = [org("org_1", "acme"), org("org_2", "globex"), org("org_3", "globex")];

test("an organisation is addressed by its short name, or by its id where two share one", () => {
  expect(mine.map((one) => addressOf(one, mine))).toEqual(["acme", "org_2", "org_3"]);
});

test.each([
  ["acme", "org_1"],
  ["org_1", "org_1"],
  ["org_3", "org_3"],
  ["globex", undefined],
  ["org_9", undefined],
  ["", undefined],
])("the address %s names %s", (address, id) => {
  expect(findOrg(address, mine)?.id).toBe(id);
});
