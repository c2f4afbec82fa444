/** Sums as a table with each number, and as a file. */
import { Table } from "@mantine/core";
import { csv } from "@/lib/csv";
import { monthAt } from "@/lib/days";
import { useFormat } from "@/lib/format";
import { saveFile } from "@/lib/save-file";
import { useWords } from "@/lib/words/words";
import type { Group, Summary } from "./api/summary";
import { usage } from "./words";

export function SumsTable({ sums, nameOf }: { sums: Summary; nameOf: (group: Group) => string }) {
  const words = useWords(usage);
  const format = useFormat();
  return (
    <Table.ScrollContainer minWidth={420} type="native" tabIndex={0}>
      <Table verticalSpacing="xs" horizontalSpacing="sm" tabularNums>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{words.bys[sums.by]}</Table.Th>
            <Table.Th ta="end">{words.requests}</Table.Th>
            <Table.Th ta="end">{words.tokens}</Table.Th>
            <Table.Th ta="end">{words.measures.cost}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {sums.data.map((group) => (
            <Table.Tr key={group.key ?? ""}>
              <Table.Td style={{ overflowWrap: "anywhere" }}>
                <bdi>{nameOf(group)}</bdi>
              </Table.Td>
              <Table.Td ta="end">{format.number(group.requests)}</Table.Td>
              <Table.Td ta="end">{format.number(group.tokens)}</Table.Td>
              <Table.Td ta="end">{format.money(group.cost_micros, "USD")}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

/** Saves sums as they stand, names beside ids; costs are in millionths of a US dollar, so that nothing is rounded. */
export function saveSums(sums: Summary, nameOf: (group: Group) => string) {
  const head = ["key", "name", "requests", "input_tokens", "cached_tokens", "output_tokens", "cost_micros"];
  const rows = sums.data.map((group) => [
    group.key ?? "",
    nameOf(group),
    group.requests,
    group.input_tokens,
    group.cached_tokens,
    group.output_tokens,
    group.cost_micros,
  ]);
  saveFile(csv([head, ...rows]), `usage-${monthAt(sums.from, sums.time_zone)}-by-${sums.by}.csv`);
}
