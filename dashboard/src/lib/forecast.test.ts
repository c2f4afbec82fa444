import { expect, test } from "vitest";
import { forecast } from "./forecast";

const FROM = "2026-11-01T00:00:00Z";
const UNTIL = "2026-12-01T00:00:00Z";
const at = (time: string) => new Date(time).getTime();

test("a third of the month gone, three times as much in all", () => {
  expect(forecast(100, FROM, UNTIL, at("2026-11-11T00:00:00Z"))).toBe(300);
});

test("neither the first hours nor a month that is over foretell anything", () => {
  expect(forecast(100, FROM, UNTIL, at("2026-11-01T05:00:00Z"))).toBeUndefined();
  expect(forecast(100, FROM, UNTIL, at("2026-12-02T00:00:00Z"))).toBeUndefined();
});
