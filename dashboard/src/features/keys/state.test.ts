import { expect, test } from "vitest";
import { stateOf } from "./state";

const NOW = Date.parse("2026-06-01T12:00:00Z");
const BEFORE = "2026-06-01T11:59:59Z";
const AFTER = "2026-06-01T12:00:01Z";

test.each([
  ["active", {}],
  ["active", { expires_at: AFTER }],
  ["expired", { expires_at: BEFORE }],
  ["revoked", { revoked_at: BEFORE }],
  ["ending", { revoked_at: AFTER }],
  ["revoked", { revoked_at: BEFORE, expires_at: BEFORE }],
  ["expired", { revoked_at: AFTER, expires_at: BEFORE }],
])("a key is %s", (expected, key) => {
  expect(stateOf(key, NOW)).toBe(expected);
});
