import { expect, test } from "vitest";
import { type Team, treeOf, withBelow } from "./tree";

const team = (id: string, parent_id: string | null = null): Team => ({
  id,
  parent_id,
  name: id,
  created_at: "2026-06-01T12:00:00Z",
  updated_at: "2026-06-01T12:00:00Z",
});
const TEAMS = [team("b"), team("a"), team("c", "a"), team("d", "c"), team("lost", "unseen")];

test("teams stand below theirs, by name", () => {
  const shape = (branches: ReturnType<typeof treeOf>): unknown[] =>
    branches.map(({ team: { id }, below }) => [id, shape(below)]);
  expect(shape(treeOf(TEAMS))).toEqual([
    ["a", [["c", [["d", []]]]]],
    ["b", []],
    ["lost", []],
  ]);
});

test("a team is not moved below itself", () => {
  expect([...withBelow(TEAMS, "a")].toSorted()).toEqual(["a", "c", "d"]);
});
