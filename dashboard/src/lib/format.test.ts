import { expect, test } from "vitest";
import { formats } from "./format";

const en = formats("en", "UTC");
const de = formats("de", "UTC");
/** Some spaces are narrow, some do not break. */
const plain = (text: string) => text.replaceAll(/\s/g, " ");

test.each([
  [1_500_000, "$1.50"],
  [0, "$0.00"],
  [1_234, "$0.00123"],
  [-2_000_000, "-$2.00"],
])("%i millionths are %s", (micros, text) => {
  expect(en.money(micros, "USD")).toBe(text);
});

test("German writes money and numbers its own way", () => {
  expect(plain(de.money(1_234_500_000, "EUR"))).toBe("1.234,50 €");
  expect(de.number(10_000)).toBe("10.000");
});

test.each([
  [1, "1 byte"],
  [999, "999 bytes"],
  [1_500, "1.5 kB"],
  [123_456_789, "123 MB"],
])("%i bytes are %s", (bytes, text) => {
  expect(en.bytes(bytes)).toBe(text);
});

test("how long ago is said in the largest unit that fits", () => {
  const now = Date.parse("2026-06-01T12:00:00Z");
  expect(en.ago("2026-06-01T11:59:30Z", now)).toBe("this minute");
  expect(en.ago("2026-06-01T09:00:00Z", now)).toBe("3 hours ago");
  expect(en.ago("2026-06-02T12:00:00Z", now)).toBe("tomorrow");
});
