import { expect, test } from "vitest";
import { nameOfActor } from "./who";
import { who } from "./words/who";

const ADA = "usr_ada";
const named = (actor: string, forWhom: string | null, members: { isLoading?: boolean; isWhole?: boolean } = {}) =>
  nameOfActor(
    actor,
    forWhom,
    {
      find: (id) => (id === ADA ? { name: "Ada" } : undefined),
      isLoading: members.isLoading ?? false,
      isWhole: members.isWhole ?? true,
    },
    who.en,
  );

test("each kind of actor is called what it is", () => {
  expect(named(ADA, null)).toBe("Ada");
  expect(named("key_1", ADA)).toBe("Key of Ada");
  expect(named("key_1", "usr_gone")).toBe("An API key");
  expect(named("system", null)).toBe("Rowhouse");
  expect(named("system", ADA), "its own work, though Ada asked for it").toBe("Rowhouse");
  expect(named(`operator ${ADA}`, null)).toBe("The installation's operator");
});

test("somebody who is not known is not called Rowhouse, nor no member before that is certain", () => {
  expect(named("usr_gone", null)).toBe("Somebody who is no member");
  expect(named("usr_other", null, { isWhole: false })).toBe("Somebody");
  expect(named("usr_other", null, { isLoading: true, isWhole: false })).toBe("…");
});
