/** What was said in a conversation: a question, or an answer with its sources. */
import { Button, Group, Loader, Stack, Text, Tooltip, UnstyledButton, VisuallyHidden } from "@mantine/core";
import { IconQuote } from "@tabler/icons-react";
import { Failure } from "@/components/states";
import { useFormat } from "@/lib/format";
import { useWords } from "@/lib/words/words";
import { AnswerText } from "./answer-text";
import type { UnderWay } from "./answers-under-way";
import { type Citation, type Message, usageOf } from "./api/list-messages";
import styles from "./ask.module.css";
import { Rate, Said } from "./feedback";
import { asking } from "./words";

export function Question({ text }: { text: string }) {
  const words = useWords(asking);
  return (
    <div className={styles.question}>
      <VisuallyHidden>{words.you}: </VisuallyHidden>
      <bdi>{text}</bdi>
    </div>
  );
}

export function Answer({
  of,
  mine,
  open,
}: {
  of: Message;
  /** Whose conversation it is says what they think of it. */
  mine: boolean;
  open: (citation: Citation) => void;
}) {
  const words = useWords(asking);
  return (
    <Stack gap="sm" component="article" aria-label={words.house}>
      {of.unknown ? (
        <div>
          <Text fw={550}>{words.unknown}</Text>
          <Text size="sm" c="dimmed">
            {words.unknownHint}
          </Text>
        </div>
      ) : (
        <AnswerText text={of.content} citations={of.citations} open={open} />
      )}
      {of.citations.length > 0 && <Sources of={of.citations} open={open} />}
      <Group justify="space-between" gap="xs">
        <Facts of={of} />
        {mine && <Rate of={of} />}
      </Group>
      <Said of={of} />
    </Stack>
  );
}

function Sources({ of, open }: { of: readonly Citation[]; open: (citation: Citation) => void }) {
  const words = useWords(asking);
  return (
    <section className={styles.sources} aria-label={words.sources}>
      {of.map((citation) => (
        <UnstyledButton key={citation.n} className={styles.source} onClick={() => open(citation)}>
          <span className={styles.number} aria-hidden>
            {citation.n}
          </span>
          <Text span inherit truncate>
            <bdi>{citation.state === "gone" ? words.sourceGone : (citation.title ?? "")}</bdi>
            {citation.page ? ` · ${words.page(String(citation.page))}` : ""}
          </Text>
        </UnstyledButton>
      ))}
    </section>
  );
}

function Facts({ of }: { of: Message }) {
  const words = useWords(asking);
  const format = useFormat();
  const { cost, model } = usageOf(of);
  return (
    <Group gap="xs">
      {of.extractive === true && (
        <Tooltip label={words.extractiveHint} multiline maw={320} events={{ hover: true, focus: true, touch: true }}>
          <Text size="xs" c="dimmed" className={styles.note} tabIndex={0}>
            <IconQuote size={14} aria-hidden /> {words.extractive}
          </Text>
        </Tooltip>
      )}
      <Text size="xs" c="dimmed">
        {cost > 0 ? words.cost(format.money(cost, "USD"), model ?? "") : words.free}
      </Text>
    </Group>
  );
}

/** An answer that is on its way, was stopped, or did not come. */
export function Coming({ of, again }: { of: UnderWay; again: () => void }) {
  const words = useWords(asking);
  const step = {
    searching: words.searching,
    reading: words.found(of.passages),
    writing: words.writing,
    stopped: words.stopped,
    failed: words.failed,
  }[of.step];
  const over = of.step === "stopped" || of.step === "failed";
  return (
    <>
      <Question text={of.wish.content} />
      <Stack gap="sm" component="article" aria-label={words.house} aria-busy={!over}>
        {of.text && <AnswerText text={of.text} citations={[]} />}
        {of.step === "failed" ? (
          <Failure error={of.error} title={words.failed} />
        ) : (
          <Group gap="sm" role="status">
            {!over && <Loader size="sm" aria-hidden />}
            <Text size="sm" c="dimmed">
              {step}
            </Text>
          </Group>
        )}
        {over && (
          <Group>
            <Button size="xs" variant="default" onClick={again}>
              {words.again}
            </Button>
          </Group>
        )}
      </Stack>
    </>
  );
}
