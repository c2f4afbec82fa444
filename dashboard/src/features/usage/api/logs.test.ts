import { expect, test } from "vitest";
import { logQuery } from "./logs";

test("days of the log are whole days of the reader, as the times of its rows are", () => {
  const { from, until } = logQuery({ from: "2026-06-01", until: "2026-06-02" });
  expect(from).toBe(new Date(2026, 5, 1).toISOString());
  expect(until).toBe(new Date(2026, 5, 3).toISOString());
});

test("what is no day bounds nothing", () => {
  expect(logQuery({ from: "yesterday", model: "m" })).toEqual({ model: "m" });
});
