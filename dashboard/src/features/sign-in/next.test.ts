import { expect, test } from "vitest";
import { safeNext } from "./next";

test("an address inside the dashboard is kept, with all that belongs to it", () => {
  expect(safeNext("/o/acme/keys?create=true#top")).toBe("/o/acme/keys?create=true#top");
});

test.each([
  undefined,
  "",
  "//evil.example/o/acme",
  "/\\evil.example",
  "https://evil.example/",
  "javascript:alert(1)",
  "/api/v1/auth/me",
  "/login?next=/login",
  "o/acme",
])("%s leads to the start page", (next) => {
  expect(safeNext(next)).toBe("/");
});
