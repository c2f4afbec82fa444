import { Text } from "@mantine/core";
import { IconSend } from "@tabler/icons-react";
import { type Column, DataTable } from "@/components/data-table";
import { Ago, State } from "@/components/facts";
import { Empty } from "@/components/states";
import { useFormat } from "@/lib/format";
import { useWords } from "@/lib/words/words";
import { type Delivery, useDeliveries } from "./api/list-deliveries";
import { webhooks } from "./words";

const COLOUR = { pending: "yellow", delivered: "green", failed: "red" } as const;

/** What a webhook was told, the newest first. */
export function Deliveries({ of }: { of: string }) {
  const words = useWords(webhooks);
  const format = useFormat();
  const list = useDeliveries(of);
  const named = (event: string) =>
    event in words.events ? words.events[event as keyof typeof words.events] : words.deliveries.test;
  const columns: Column<Delivery>[] = [
    {
      header: words.deliveries.columns.event,
      cell: ({ event }) => <Text size="sm">{named(event)}</Text>,
    },
    { header: words.deliveries.columns.at, cell: ({ created_at }) => <Ago time={created_at} /> },
    {
      header: words.deliveries.columns.status,
      cell: ({ status, last_status, last_error, next_try_at }) => (
        <div>
          <State color={COLOUR[status]}>{words.deliveries.states[status]}</State>
          {last_status != null && (
            <Text size="xs" c="dimmed">
              {words.deliveries.answered(last_status)}
            </Text>
          )}
          {last_error && (
            <Text size="xs" c="dimmed" lang="en">
              {last_error}
            </Text>
          )}
          {next_try_at && status === "pending" && (
            <Text size="xs" c="dimmed">
              {words.deliveries.next(format.ago(next_try_at))}
            </Text>
          )}
        </div>
      ),
    },
    { header: words.deliveries.columns.tries, kind: "number", cell: ({ tries }) => format.number(tries) },
  ];
  return (
    <DataTable
      label={words.deliveries.list}
      list={list}
      columns={columns}
      rowKey={({ id }) => id}
      empty={<Empty icon={IconSend} title={words.deliveries.emptyTitle} text={words.deliveries.emptyText} />}
    />
  );
}
