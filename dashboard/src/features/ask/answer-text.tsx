/** An answer's words as Markdown, its numbers as marks that open what they stand for. */
import { Anchor, Typography, UnstyledButton } from "@mantine/core";
import { useMemo } from "react";
import Markdown from "react-markdown";
import { useWords } from "@/lib/words/words";
import type { Citation } from "./api/list-messages";
import styles from "./ask.module.css";
import { asking } from "./words";

/** What stands before the sentences that the embedded model picks; the page says it in the reader's language. */
const PREAMBLE = /^From the passages \([^)\n]*\):\n+/;
const MARK = "#source-";

/** As much of Markdown's tree as is needed to find its words. */
interface Node {
  type: string;
  value?: string;
  url?: string;
  children?: Node[];
}

/** Makes links of the numbers in brackets, wherever words stand; not in code. */
function numbers() {
  return (tree: Node) => visit(tree);
}

function visit(node: Node) {
  node.children = node.children?.flatMap((child) => {
    if (child.type !== "text" || child.value === undefined) {
      if (child.type !== "link") visit(child);
      return [child];
    }
    return child.value
      .split(/(\[\d{1,3}\])/)
      .filter((part) => part !== "")
      .map((value) => {
        const n = /^\[(\d+)\]$/.exec(value)?.[1];
        return n ? { type: "link", url: MARK + n, children: [{ type: "text", value: n }] } : { type: "text", value };
      });
  });
}

export function AnswerText({
  text,
  citations,
  open,
}: {
  text: string;
  citations: readonly Citation[];
  open?: (citation: Citation) => void;
}) {
  const words = useWords(asking);
  const plain = useMemo(() => text.replace(PREAMBLE, ""), [text]);
  return (
    <Typography fz="md" className={styles.answer}>
      <Markdown
        remarkPlugins={[numbers]}
        disallowedElements={["img"]}
        components={{
          a: ({ href, children }) => {
            if (!href?.startsWith(MARK)) {
              return (
                <Anchor href={href} target="_blank" rel="noreferrer nofollow" inherit>
                  {children}
                </Anchor>
              );
            }
            const citation = citations.find(({ n }) => href === `${MARK}${n}`);
            if (!citation || !open) return <sup className={styles.number}>{children}</sup>;
            return (
              <UnstyledButton
                component="button"
                className={styles.mark}
                aria-label={words.source(String(citation.n), citation.title ?? words.sourceGone)}
                onClick={() => open(citation)}
              >
                {children}
              </UnstyledButton>
            );
          },
        }}
      >
        {plain}
      </Markdown>
    </Typography>
  );
}
