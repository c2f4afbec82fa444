/** A list as a table, page by page; on a phone, as cards. With its states: loading, failed, empty. */
import { ActionIcon, Card, Group, Skeleton, Text } from "@mantine/core";
import { IconChevronLeft, IconChevronRight } from "@tabler/icons-react";
import type { ReactNode } from "react";
import type { Pages } from "@/lib/api/paging";
import { shared } from "@/lib/words/shared";
import { useWords } from "@/lib/words/words";
import styles from "./data-table.module.css";
import { Failure } from "./states";

/** A column. The first one says what a row is. */
export interface Column<T> {
  /** Names the column; for actions, too, where it is read out alone. */
  header: string;
  cell: (row: T) => ReactNode;
  /** `number` stands at the end in even figures; `actions` is the menu at the end of a row. */
  kind?: "text" | "number" | "actions";
}

const SIDE = { text: undefined, number: styles.number, actions: styles.end };

export function DataTable<T>({
  label,
  list,
  columns,
  rowKey,
  empty,
}: {
  /** What the table is called for who does not see it. */
  label: string;
  list: Pages<T>;
  columns: readonly Column<T>[];
  rowKey: (row: T) => string;
  /** What stands there when the list is empty: an `Empty`. */
  empty: ReactNode;
}) {
  if (list.error && list.rows.length === 0) return <Failure error={list.error} retry={list.retry} />;
  if (!list.isPending && list.rows.length === 0 && list.page === 1) return <Card padding={0}>{empty}</Card>;
  return (
    <Card padding={0}>
      {/* The roles are written out, since some browsers forget them where CSS changes the display. */}
      {/* biome-ignore-start lint/a11y/noRedundantRoles: see above */}
      <table className={styles.table} role="table" aria-label={label} aria-busy={list.isFetching}>
        <thead role="rowgroup">
          <tr role="row">
            {columns.map((column) => (
              <th key={column.header} role="columnheader" scope="col" className={SIDE[column.kind ?? "text"]}>
                {column.kind === "actions" ? <span className={styles.hidden}>{column.header}</span> : column.header}
              </th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup" className={list.isFetching && !list.isPending ? styles.stale : undefined}>
          {list.isPending
            ? Array.from({ length: 5 }, (_, row) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: the rows are alike
                <tr key={row} role="row">
                  {columns.map((column) => (
                    <td key={column.header} role="cell">
                      <Skeleton height={14} width={column.kind === "actions" ? 24 : "70%"} />
                    </td>
                  ))}
                </tr>
              ))
            : list.rows.map((row) => (
                <tr key={rowKey(row)} role="row">
                  {columns.map((column) => (
                    <td key={column.header} role="cell" className={SIDE[column.kind ?? "text"]}>
                      <span className={styles.name} aria-hidden>
                        {column.header}
                      </span>
                      {column.cell(row)}
                    </td>
                  ))}
                </tr>
              ))}
        </tbody>
      </table>
      {/* biome-ignore-end lint/a11y/noRedundantRoles: see above */}
      <Pager list={list} />
    </Card>
  );
}

/** To the next page and back; nothing where there is one page. */
export function Pager<T>({ list }: { list: Pages<T> }) {
  const { paging } = useWords(shared);
  if (!list.next && !list.previous) return null;
  return (
    <Group
      component="nav"
      aria-label={paging.label}
      justify="flex-end"
      gap="xs"
      px="md"
      py="xs"
      style={{ borderTop: "1px solid var(--mantine-color-default-border)" }}
    >
      <Text size="xs" c="dimmed" aria-live="polite">
        {paging.page(list.page)}
      </Text>
      <ActionIcon variant="default" aria-label={paging.previous} disabled={!list.previous} onClick={list.previous}>
        <IconChevronLeft size={16} aria-hidden />
      </ActionIcon>
      <ActionIcon variant="default" aria-label={paging.next} disabled={!list.next} onClick={list.next}>
        <IconChevronRight size={16} aria-hidden />
      </ActionIcon>
    </Group>
  );
}
