import { Autocomplete, Button, Group, SimpleGrid, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { PersonSelect } from "@/components/pickers";
import { useWords } from "@/lib/words/words";
import { ACTIONS, type Filter } from "./filter";
import { audit } from "./words";

/** Waits until somebody has typed to the end. */
const TYPING = 350;

export function Filters({ of, set }: { of: Filter; set: (part: Filter) => void }) {
  const words = useWords(audit);
  const used = Object.values(of).some((value) => value !== undefined);
  return (
    <section aria-label={words.filters.label}>
      <SimpleGrid cols={{ base: 2, md: 5 }} spacing="sm">
        <PersonSelect
          label={words.filters.actor}
          placeholder={words.filters.anybody}
          clearable
          value={of.actor ?? null}
          onChange={(actor) => set({ actor: actor ?? undefined })}
        />
        <Typed
          initial={of.action ?? ""}
          set={(action) => set({ action })}
          field={(value, change) => (
            <Autocomplete
              label={words.filters.action}
              placeholder={words.filters.actionHint}
              data={[...ACTIONS]}
              limit={100}
              value={value}
              onChange={change}
            />
          )}
        />
        <Typed
          initial={of.object ?? ""}
          set={(object) => set({ object })}
          field={(value, change) => (
            <TextInput
              label={words.filters.object}
              value={value}
              onChange={(event) => change(event.currentTarget.value)}
            />
          )}
        />
        <TextInput
          type="date"
          label={words.filters.from}
          value={of.from ?? ""}
          onChange={(event) => set({ from: event.currentTarget.value || undefined })}
        />
        <TextInput
          type="date"
          label={words.filters.until}
          value={of.until ?? ""}
          onChange={(event) => set({ until: event.currentTarget.value || undefined })}
        />
      </SimpleGrid>
      {used && (
        <Group mt="xs">
          <Button
            variant="subtle"
            size="xs"
            onClick={() =>
              set({ actor: undefined, action: undefined, object: undefined, from: undefined, until: undefined })
            }
          >
            {words.filters.clear}
          </Button>
        </Group>
      )}
    </section>
  );
}

/** A field whose value counts when somebody has stopped typing. */
function Typed({
  initial,
  set,
  field,
}: {
  initial: string;
  set: (value: string | undefined) => void;
  field: (value: string, change: (value: string) => void) => ReactNode;
}) {
  const [value, setValue] = useState(initial);
  const sent = useRef(initial);
  const settle = useDebouncedCallback((typed: string) => {
    sent.current = typed.trim();
    set(typed.trim() || undefined);
  }, TYPING);
  useEffect(() => {
    // Changed by something else: a button, or the way back.
    if (initial === sent.current) return;
    sent.current = initial;
    setValue(initial);
  }, [initial]);
  return field(value, (typed) => {
    setValue(typed);
    settle(typed);
  });
}
