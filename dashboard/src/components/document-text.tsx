/** What was read from a document, with a passage shown where it stands. */
import { Button, Center, Text } from "@mantine/core";
import { Fragment, useEffect, useMemo, useRef, useState } from "react";
import { cuttable, pieces, type Span } from "@/lib/bytes";
import { useWords, words } from "@/lib/words/words";
import styles from "./document-text.module.css";

/** A part of a text, as the API names it (`documents/src/document.rs`). */
export interface Block extends Span {
  part: "heading" | "paragraph" | "item" | "code" | "row";
  level?: number;
  depth?: number;
  page?: number | null;
}

const reading = words(
  {
    page: (page: number) => `Page ${page}`,
    earlier: "Show what stands before",
    later: "Show more",
    nothing: "There is no text in this document.",
  },
  {
    de: {
      page: (page) => `Seite ${page}`,
      earlier: "Zeigen, was davor steht",
      later: "Mehr zeigen",
      nothing: "In diesem Dokument steht kein Text.",
    },
  },
);

/** Blocks drawn at a time: some screens of text, which are quick to draw however long the document is. */
const WINDOW = 250;

/** The blocks of an answer of the API; the whole text as one where it names none. */
export function blocksOf(content: { text: string; blocks: unknown }): readonly Block[] {
  const named = Array.isArray(content.blocks) ? (content.blocks as Block[]) : [];
  return named.length > 0 || content.text === ""
    ? named
    : [{ part: "paragraph", start: 0, end: cuttable(content.text).length }];
}

export function DocumentText({
  text,
  blocks,
  passage,
  marks = [],
}: {
  text: string;
  blocks: readonly Block[];
  /** What is shown first, in bytes. */
  passage?: Span;
  /** What is marked in it; the whole passage's blocks stand out anyway. */
  marks?: readonly Span[];
}) {
  const say = useWords(reading);
  const cut = useMemo(() => cuttable(text), [text]);
  const found = passage ? blocks.findIndex((block) => block.end > passage.start) : 0;
  const target = Math.max(0, found);
  const [from, setFrom] = useState(Math.max(0, target - WINDOW / 5));
  const [until, setUntil] = useState(target + WINDOW);
  const first = useRef<HTMLDivElement>(null);
  const start = passage?.start;
  // biome-ignore lint/correctness/useExhaustiveDependencies: another passage is shown anew
  useEffect(() => {
    setFrom(Math.max(0, target - WINDOW / 5));
    setUntil(target + WINDOW);
    if (start !== undefined) first.current?.scrollIntoView({ block: "center" });
  }, [start, text]);

  if (blocks.length === 0) return <Text c="dimmed">{say.nothing}</Text>;
  const shown = blocks.slice(from, until);
  return (
    <div className={styles.text}>
      {from > 0 && (
        <Center mb="md">
          <Button size="xs" variant="default" onClick={() => setFrom(Math.max(0, from - WINDOW))}>
            {say.earlier}
          </Button>
        </Center>
      )}
      {shown.map((block, index) => {
        const at = from + index;
        const inside = passage !== undefined && block.start < passage.end && block.end > passage.start;
        const page = block.page && block.page !== blocks[at - 1]?.page ? block.page : undefined;
        const kind = block.part === "heading" ? styles.heading : block.part === "code" ? styles.code : undefined;
        return (
          <Fragment key={block.start}>
            {page && <div className={styles.page}>{say.page(page)}</div>}
            <div
              ref={at === target ? first : undefined}
              className={[styles.block, kind, inside && styles.passage].filter(Boolean).join(" ")}
              {...(block.part === "heading"
                ? { role: "heading", "aria-level": Math.min(6, (block.level ?? 1) + 2) }
                : {})}
            >
              {block.part === "item" && `${"   ".repeat(block.depth ?? 0)}• `}
              {pieces(cut, block, marks).map((piece, part) =>
                // biome-ignore lint/suspicious/noArrayIndexKey: the pieces of a text do not move
                piece.marked ? <mark key={part}>{piece.text}</mark> : <Fragment key={part}>{piece.text}</Fragment>,
              )}
            </div>
          </Fragment>
        );
      })}
      {until < blocks.length && (
        <Center>
          <Button size="xs" variant="default" onClick={() => setUntil(until + WINDOW)}>
            {say.later}
          </Button>
        </Center>
      )}
    </div>
  );
}
