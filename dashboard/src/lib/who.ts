/** Who did something, by name, as the logs have it. */
import { useOrg } from "@/lib/org";
import { usePeople } from "@/lib/roster";
import { who } from "@/lib/words/who";
import { type Same, useWords } from "@/lib/words/words";

/** The members, as far as they are known. */
interface Known {
  find: (id: string) => { name: string } | undefined;
  /** They are on their way. */
  isLoading: boolean;
  /** There are no others. */
  isWhole: boolean;
}

/**
 * What to call who acted: a person or a key by its id, `operator usr_...`, or `system`. `forWhom` is the person whose key it is. Nobody is
 * called what they are not: only of who is not among all members is said that they were one.
 */
export function nameOfActor(
  actor: string,
  forWhom: string | null | undefined,
  members: Known,
  words: Same<(typeof who)["en"]>,
): string {
  if (actor === "system") return words.system;
  if (actor.startsWith("operator ")) return words.operator;
  if (actor.startsWith("key_")) {
    const owner = forWhom ? members.find(forWhom) : undefined;
    return owner ? words.keyOf(owner.name) : words.key;
  }
  const person = members.find(actor);
  if (person) return person.name;
  if (members.isLoading) return "…";
  return members.isWhole ? words.former : words.somebody;
}

/** The same for components. */
export function useWho(): (actor: string, forWhom?: string | null) => string {
  const words = useWords(who);
  const { person } = useOrg();
  const people = usePeople();
  // Who may not see the members knows themselves.
  const known = { ...people, find: (id: string) => people.find(id) ?? (id === person.id ? person : undefined) };
  return (actor, forWhom) => nameOfActor(actor, forWhom, known, words);
}
