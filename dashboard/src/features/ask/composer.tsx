/** Where questions are typed. */
import { ActionIcon, Collapse, Group, MultiSelect, Select, Stack, Text, Textarea, Tooltip } from "@mantine/core";
import { IconAdjustmentsHorizontal, IconArrowUp, IconPlayerStopFilled } from "@tabler/icons-react";
import { useState } from "react";
import { useDraft } from "@/lib/drafts";
import { useOrg } from "@/lib/org";
import { useWords } from "@/lib/words/words";
import type { Wish } from "./api/ask";
import { useCollections } from "./api/list-collections";
import { useModels } from "./api/list-models";
import styles from "./ask.module.css";
import { asking } from "./words";

/** What the server asks when no model is named. */
const BEST = "best";
/** Characters of a question, as the API bounds it. */
const MOST = 8000;

export function Composer({
  project,
  send,
  stop,
  busy,
}: {
  project: string | undefined;
  /** Sends a question; `sent` empties the field, once nothing can be lost any more. */
  send: (wish: Wish, sent: () => void) => void;
  /** There is an answer under way that this ends. */
  stop?: () => void;
  busy?: boolean;
}) {
  const words = useWords(asking);
  const org = useOrg();
  const [text, setText] = useState("");
  const [options, setOptions] = useState(false);
  const [among, setAmong] = useState<string[]>([]);
  const [model, setModel] = useState<string>(BEST);
  const collections = useCollections(project);
  const models = useModels(project);
  const draft = useDraft(
    {
      values: { text },
      setValues: (kept) => setText(kept.text ?? ""),
      isDirty: () => text !== "",
      reset: () => setText(""),
    },
    "question",
  );
  const ready = text.trim() !== "" && !busy && !stop;

  const ask = () => {
    if (!ready) return;
    const wish = {
      content: text.trim(),
      ...(model === BEST ? {} : { model }),
      ...(among.length > 0 ? { collections: among } : {}),
    };
    send(wish, () => {
      draft.forget();
      setText("");
    });
  };
  return (
    <form
      className={styles.composer}
      onSubmit={(event) => {
        event.preventDefault();
        ask();
      }}
    >
      <div className={styles.box}>
        <Collapse expanded={options}>
          <Stack gap="xs" pb="sm" pe={6}>
            <MultiSelect
              size="xs"
              label={words.where}
              placeholder={among.length === 0 ? words.everywhere : undefined}
              data={(collections.data?.data ?? []).map(({ id, name }) => ({ value: id, label: name }))}
              value={among}
              onChange={setAmong}
              searchable
              clearable
            />
            {org.can("models.use", project) && (
              <Select
                size="xs"
                label={words.model}
                data={[
                  { value: BEST, label: words.best },
                  ...(models.data ?? []).filter((id) => id !== BEST).map((id) => ({ value: id, label: id })),
                ]}
                value={model}
                onChange={(value) => setModel(value ?? BEST)}
                allowDeselect={false}
              />
            )}
          </Stack>
        </Collapse>
        <Group gap="xs" align="flex-end" wrap="nowrap">
          <Textarea
            flex={1}
            variant="unstyled"
            aria-label={words.question}
            aria-description={words.keys}
            placeholder={words.hint}
            classNames={{ input: styles.field }}
            rows={1}
            maxLength={MOST}
            value={text}
            onChange={(event) => setText(event.currentTarget.value)}
            onKeyDown={(event) => {
              if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
              event.preventDefault();
              ask();
            }}
          />
          <Tooltip label={words.options}>
            <ActionIcon
              size={36}
              radius="xl"
              variant={among.length > 0 || model !== BEST ? "light" : "subtle"}
              color={among.length > 0 || model !== BEST ? "door" : "gray"}
              aria-label={words.options}
              aria-expanded={options}
              onClick={() => setOptions(!options)}
            >
              <IconAdjustmentsHorizontal size={18} aria-hidden />
            </ActionIcon>
          </Tooltip>
          {stop ? (
            <ActionIcon size={36} radius="xl" variant="filled" color="dark" aria-label={words.stop} onClick={stop}>
              <IconPlayerStopFilled size={16} aria-hidden />
            </ActionIcon>
          ) : (
            <ActionIcon
              type="submit"
              size={36}
              radius="xl"
              variant="filled"
              aria-label={words.send}
              disabled={!ready}
              loading={busy}
            >
              <IconArrowUp size={18} aria-hidden />
            </ActionIcon>
          )}
        </Group>
      </div>
      <Text size="xs" c="dimmed" ta="center" mt={6} visibleFrom="sm" aria-hidden>
        {words.keys}
      </Text>
    </form>
  );
}
