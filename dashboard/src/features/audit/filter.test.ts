import { expect, test } from "vitest";
import { asked } from "./filter";

test("days are whole days of the reader", () => {
  const { from, until } = asked({ from: "2026-06-01", until: "2026-06-01" });
  expect(new Date(until ?? "").getTime() - new Date(from ?? "").getTime()).toBe(86_400_000);
  expect(new Date(from ?? "").getHours()).toBe(0);
});

test.each(["", "yesterday", "2026-6-1"])("%j is no day", (from) => {
  expect(asked({ from }).from).toBeUndefined();
});

test("what is empty is not asked for", () => {
  expect(asked({ actor: "", action: " ", object: " usr_1 " })).toEqual({
    actor: undefined,
    action: undefined,
    object: "usr_1",
    from: undefined,
    until: undefined,
  });
});
