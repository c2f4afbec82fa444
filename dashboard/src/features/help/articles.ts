/// <reference types="vite/client" />
/** The guide: short texts in every language, part of the bundle, searched in the browser. */
import type { Language } from "@/lib/words/words";

const FILES = import.meta.glob<string>("./articles/*/*.md", { query: "?raw", import: "default", eager: true });

/** In this order; each is a file in the folder of each language. */
const ORDER = ["first-steps", "asking", "knowledge", "people", "keys", "money", "models", "security", "trouble"];

export interface Article {
  name: string;
  title: string;
  /** Markdown, without the title. */
  text: string;
}

/** All articles in a language. */
export function articlesIn(language: Language): Article[] {
  return ORDER.map((name) => {
    const file = FILES[`./articles/${language}/${name}.md`] ?? "";
    const [first = "", ...rest] = file.split("\n");
    return { name, title: first.replace(/^#\s*/, ""), text: rest.join("\n").trim() };
  });
}

/** Small letters without their accents, so that “schlussel” finds “Schlüssel”. */
function plain(text: string): string {
  return text.normalize("NFD").replaceAll(/\p{M}/gu, "").toLowerCase();
}

/** Those that hold all words that were typed, titles first. */
export function search(articles: readonly Article[], typed: string): Article[] {
  const wanted = plain(typed).split(/\s+/).filter(Boolean);
  return articles
    .map((article) => {
      const title = plain(article.title);
      const text = plain(article.text);
      const isFound = wanted.every((word) => title.includes(word) || text.includes(word));
      return { article, weight: isFound ? 1 + wanted.filter((word) => title.includes(word)).length : 0 };
    })
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => b.weight - a.weight)
    .map(({ article }) => article);
}
