import { Select } from "@mantine/core";
import { useOrg } from "@/lib/org";
import { useWords } from "@/lib/words/words";
import { useNames } from "./api/names";
import type { Whose } from "./api/summary";
import { usage } from "./words";

/** Narrows usage to a person, a team or a key. The project is chosen for all pages at once, in the frame. */
export function WhoseFilter({ value, onChange }: { value: Whose; onChange: (next: Whose) => void }) {
  const words = useWords(usage);
  const org = useOrg();
  const { lists } = useNames();
  const all = org.canSomewhere("usage.all");
  const shown = [
    ["user", words.person, all],
    ["team", words.team, all],
    ["key", words.key, true],
  ] as const;
  return shown
    .filter(([kind, , offered]) => offered && lists[kind].length > 0)
    .map(([kind, label]) => (
      <Select
        key={kind}
        label={label}
        placeholder={words.everybody}
        w={{ base: "calc(50% - 6px)", xs: 190 }}
        data={lists[kind]}
        value={value[kind] ?? null}
        onChange={(chosen) => onChange({ [kind]: chosen ?? undefined })}
        searchable
        clearable
        clearButtonProps={{ "aria-label": words.all }}
      />
    ));
}
