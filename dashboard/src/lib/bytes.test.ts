import { expect, test } from "vitest";
import { cuttable, pieces, placeOf } from "./bytes";

test("a text is cut at bytes, not at characters", () => {
  const text = cuttable("Zürich 🚆 220 €");
  expect(text.length).toBe(20);
  expect(text.cut({ start: 0, end: 7 })).toBe("Zürich");
  expect(text.cut({ start: 8, end: 12 })).toBe("🚆");
});

test("marks cut a part into pieces", () => {
  const text = cuttable("über hotels in Köln");
  expect(pieces(text, { start: 0, end: text.length }, [{ start: 6, end: 12 }])).toEqual([
    { text: "über ", marked: false },
    { text: "hotels", marked: true },
    { text: " in Köln", marked: false },
  ]);
});

test("marks reach beyond a part, or lie outside of it", () => {
  const text = cuttable("0123456789");
  const marks = [
    { start: 0, end: 1 },
    { start: 2, end: 5 },
    { start: 8, end: 9 },
  ];
  expect(pieces(text, { start: 3, end: 7 }, marks)).toEqual([
    { text: "34", marked: true },
    { text: "56", marked: false },
  ]);
  expect(pieces(text, { start: 3, end: 4 }, marks)).toEqual([{ text: "3", marked: true }]);
});

test("a quote is found in its passage, cut or whole", () => {
  const text = cuttable("Größe: Ein Hotel kostet 140 €. Mehr nicht.");
  const passage = { start: 9, end: text.length };
  const found = placeOf(text, passage, "Ein Hotel kostet 140 €.…");
  expect(text.cut(found)).toBe("Ein Hotel kostet 140 €.");
  expect(placeOf(text, passage, "steht hier nicht")).toEqual(passage);
});
