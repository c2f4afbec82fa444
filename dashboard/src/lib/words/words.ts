/**
 * The words of the pages, in every language that is shipped. Each feature keeps its own beside it (`words.ts`): English says what there
 * is to say, and the type check fails when another language says less, or more.
 */
import { useSyncExternalStore } from "react";

/** The languages, each named in itself. */
export const LANGUAGES = { en: "English", de: "Deutsch" } as const;
export type Language = keyof typeof LANGUAGES;

type Phrase = string | ((...given: never[]) => string);
interface Phrases {
  readonly [key: string]: Phrase | Phrases;
}

/** The same phrases in other words. */
export type Same<T> = {
  readonly [K in keyof T]: T[K] extends string
    ? string
    : T[K] extends (...given: infer G) => string
      ? (...given: G) => string
      : Same<T[K]>;
};

/** The phrases of a feature in all languages. */
export type Words<T> = Readonly<Record<Language, Same<T>>>;

/** Puts the phrases of a feature together. */
export function words<T extends Phrases>(
  en: T,
  others: Readonly<Record<Exclude<Language, "en">, Same<NoInfer<T>>>>,
): Words<T> {
  return { en: en as unknown as Same<T>, ...others };
}

const KEPT = "rowhouse.language";
const listeners = new Set<() => void>();
let language: Language = initial();

function known(tag: string | null | undefined): Language | undefined {
  const short = tag?.slice(0, 2).toLowerCase();
  return short !== undefined && short in LANGUAGES ? (short as Language) : undefined;
}

function initial(): Language {
  try {
    const kept = known(window.localStorage.getItem(KEPT));
    if (kept) return kept;
  } catch {
    // Storage is switched off; the browser's language does.
  }
  return window.navigator.languages.map(known).find((tag) => tag !== undefined) ?? "en";
}

/** The language in use. */
export function currentLanguage(): Language {
  return language;
}

/** Changes the language of all pages at once; a tag that is not shipped changes nothing. */
export function speak(tag: string) {
  const next = known(tag);
  if (!next) return;
  try {
    window.localStorage.setItem(KEPT, next);
  } catch {
    // It holds until the page is closed.
  }
  document.documentElement.lang = next;
  if (next === language) return;
  language = next;
  for (const listener of listeners) listener();
}

/** The language in use, for components. */
export function useLanguage(): Language {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => language,
  );
}

/** The phrases of a feature in the language in use. */
export function useWords<T>(of: Words<T>): Same<T> {
  return of[useLanguage()];
}
