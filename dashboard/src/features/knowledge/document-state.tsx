import { State } from "@/components/facts";
import { useFormat } from "@/lib/format";
import { useWords } from "@/lib/words/words";
import type { Document } from "./api/list-documents";
import { knowledge } from "./words";

/** How far the house is with a document. */
export function DocumentState({ of }: { of: Document }) {
  const { states } = useWords(knowledge);
  const format = useFormat();
  if (of.status === "failed") return <State color="red">{states.failed}</State>;
  if (of.status !== "ready") return <State color="blue">{states[of.status]}</State>;
  if (of.embedded < of.passages) {
    return <State color="yellow">{states.searchable(format.percent(of.embedded / of.passages))}</State>;
  }
  return <State color="green">{states.ready}</State>;
}
