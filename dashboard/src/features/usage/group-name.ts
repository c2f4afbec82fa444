import { useFormat } from "@/lib/format";
import { useWords } from "@/lib/words/words";
import { useNames } from "./api/names";
import type { By, Group } from "./api/summary";
import { usage } from "./words";

/** What the groups of a sum are called. */
export function useGroupName(by: By): (group: Group) => string {
  const words = useWords(usage);
  const format = useFormat();
  const { name } = useNames();
  return (group) => {
    const key = group.key;
    if (group.name) return group.name;
    if (!key) return words.nobody[by];
    if (by === "day") return format.dayOf(key);
    if (by === "operation") return key in words.operations ? words.operations[key as "chat"] : key;
    if (by === "outcome") return key in words.outcomes ? words.outcomes[key as "ok"] : key;
    return name(key);
  };
}
