import { Code } from "@mantine/core";
import { IconEraser } from "@tabler/icons-react";
import { type Column, DataTable } from "@/components/data-table";
import { State } from "@/components/facts";
import { Page } from "@/components/page";
import { Empty } from "@/components/states";
import { useFormat } from "@/lib/format";
import { useWords } from "@/lib/words/words";
import { type Erasure, useErasures } from "../api/installation";
import { operator } from "../words";

export function OperatorErasuresPage() {
  const words = useWords(operator);
  const list = useErasures();
  return (
    <Page title={words.erasures} intro={words.erasuresIntro} help={<p>{words.erasuresHelp}</p>}>
      <DataTable
        label={words.erasures}
        list={list}
        columns={useColumns()}
        rowKey={(erasure) => erasure.id}
        empty={<Empty icon={IconEraser} title={words.erasuresEmptyTitle} text={words.erasuresEmptyText} />}
      />
    </Page>
  );
}

/** How many rows there were, in all stores and tables; the shape is the API's, a number at each leaf. */
function rowsOf(counts: unknown): number {
  if (typeof counts === "number") return counts;
  if (typeof counts !== "object" || counts === null) return 0;
  return Object.values(counts).reduce<number>((sum, part) => sum + rowsOf(part), 0);
}

function useColumns(): Column<Erasure>[] {
  const words = useWords(operator);
  const format = useFormat();
  return [
    { header: words.id, cell: (erasure) => <Code fz="xs">{erasure.subject}</Code> },
    {
      header: words.status,
      cell: (erasure) => (
        <State color={erasure.erased_at ? "green" : "yellow"}>
          {erasure.erased_at ? words.erased : words.underWay}
        </State>
      ),
    },
    {
      header: words.erased,
      cell: (erasure) => (erasure.erased_at ? format.dateTime(erasure.erased_at) : "–"),
    },
    { header: words.rows, kind: "number", cell: (erasure) => format.number(rowsOf(erasure.counts)) },
    { header: words.signed, cell: (erasure) => (erasure.signature ? words.yes : words.no) },
  ];
}
