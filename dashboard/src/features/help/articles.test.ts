import { expect, test } from "vitest";
import { LANGUAGES, type Language } from "@/lib/words/words";
import { articlesIn, search } from "./articles";

test.each(Object.keys(LANGUAGES) as Language[])("every article is there in %s", (language) => {
  for (const { name, title, text } of articlesIn(language)) {
    expect([name, title.length > 0, text.length > 100]).toEqual([name, true, true]);
  }
});

test("what is searched is found by all its words, whatever their accents, titles first", () => {
  expect(search(articlesIn("de"), "schlussel erneuern")[0]?.name).toBe("keys");
  expect(search(articlesIn("en"), "budget")[0]?.name).toBe("money");
  expect(search(articlesIn("en"), "zebra")).toEqual([]);
});
