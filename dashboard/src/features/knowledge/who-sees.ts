/** Who sees what lies in a collection, in words, as the API decides it (`server/src/knowledge/sight.rs`). */
import type { Collection } from "./api/list-collections";
import type { knowledge } from "./words";

type Words = (typeof knowledge)["en"]["seen"];

/**
 * `nameOf` gives what a project is called, `around` the collection within which a circle lies: what a source brought for readers of its
 * own.
 */
export function whoSees(
  words: Words,
  of: Pick<Collection, "access" | "project_id" | "within">,
  nameOf: (id: string) => string | undefined,
  around?: { name: string },
): string {
  if (of.within) return words.circle(around?.name);
  if (of.access === "private") return words.private;
  if (of.access === "shared") return words.shared;
  return of.project_id ? words.project(nameOf(of.project_id) ?? of.project_id) : words.organisation;
}
