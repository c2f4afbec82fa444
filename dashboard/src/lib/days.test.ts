import { expect, test } from "vitest";
import { monthAt, monthsTo, startOfDay } from "./days";

test.each([
  // Where a month begins is still, or already, another one elsewhere.
  ["2026-10-31T10:00:00Z", "Pacific/Kiritimati", "2026-11"],
  ["2026-11-01T04:59:59Z", "America/Lima", "2026-10"],
  ["2026-11-01T05:00:00Z", "America/Lima", "2026-11"],
  ["2026-01-01T00:00:00Z", "UTC", "2026-01"],
  ["2025-12-31T23:00:00Z", "Europe/Berlin", "2026-01"],
  ["2026-10-31T10:00:00Z", "Nowhere/Atall", "2026-10"],
])("at %s in %s it is %s", (time, zone, month) => {
  expect(monthAt(time, zone)).toBe(month);
});

test("months go back over the turn of the year", () => {
  expect(monthsTo("2026-02", 4)).toEqual(["2026-02", "2026-01", "2025-12", "2025-11"]);
});

test("a day begins at midnight of the reader, and ends where the next begins", () => {
  expect(new Date(startOfDay("2026-06-01") ?? "").getHours()).toBe(0);
  expect(startOfDay("2026-06-30", 1)).toBe(startOfDay("2026-07-01"));
  for (const none of ["", "yesterday", "2026-6-1", undefined]) expect(startOfDay(none)).toBeUndefined();
});
