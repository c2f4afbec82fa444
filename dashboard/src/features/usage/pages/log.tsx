import { Button, Group, Select, Text, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { IconDownload, IconReceipt } from "@tabler/icons-react";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { type Column, DataTable } from "@/components/data-table";
import { State } from "@/components/facts";
import { Page } from "@/components/page";
import { Empty } from "@/components/states";
import { useFormat } from "@/lib/format";
import { useProject } from "@/lib/project";
import { useWords } from "@/lib/words/words";
import { useExportLog } from "../api/export-log";
import { type LogFilter, type Row, useLog } from "../api/logs";
import { useNames } from "../api/names";
import { LiveCounter } from "../live-counter";
import { UsageHelp, UsageParts } from "../parts";
import { WhoseFilter } from "../whose-filter";
import { usage } from "../words";

const COLOUR = { ok: "green", error: "red", cancelled: "gray", lost: "yellow" } as const;
const OPERATIONS = ["chat", "embeddings", "search", "documents", "mails"] as const;
/** Milliseconds to wait for the next letter. */
const TYPING = 350;

export function UsageLogPage() {
  const words = useWords(usage);
  const project = useProject();
  const filter = useSearch({ from: "/o/$org/usage/log" });
  const navigate = useNavigate({ from: "/o/$org/usage/log" });
  const of: LogFilter = { ...filter, project };
  const list = useLog(of);
  const out = useExportLog();
  const choose = (next: Partial<LogFilter>) =>
    void navigate({ search: (before) => ({ ...before, ...next }), replace: true });
  const typed = useDebouncedCallback((model: string) => choose({ model: model.trim() || undefined }), TYPING);
  return (
    <Page
      title={words.title}
      intro={words.intro}
      help={<UsageHelp />}
      actions={
        <>
          <LiveCounter />
          <Button
            variant="default"
            leftSection={<IconDownload size={16} aria-hidden />}
            loading={out.isPending}
            onClick={() => out.mutate(of)}
          >
            {words.csv}
          </Button>
        </>
      }
    >
      <UsageParts />
      <Group mb="lg" gap="sm" align="flex-end" role="group" aria-label={words.filters}>
        <TextInput
          type="date"
          label={words.from}
          w={{ base: "calc(50% - 6px)", xs: 150 }}
          value={filter.from ?? ""}
          onChange={(event) => choose({ from: event.currentTarget.value || undefined })}
        />
        <TextInput
          type="date"
          label={words.until}
          w={{ base: "calc(50% - 6px)", xs: 150 }}
          value={filter.until ?? ""}
          onChange={(event) => choose({ until: event.currentTarget.value || undefined })}
        />
        <Select
          label={words.operation}
          placeholder={words.all}
          w={{ base: "calc(50% - 6px)", xs: 160 }}
          data={OPERATIONS.map((value) => ({ value, label: words.operations[value] }))}
          value={filter.operation ?? null}
          onChange={(value) => choose({ operation: value ?? undefined })}
          clearable
          clearButtonProps={{ "aria-label": words.all }}
        />
        <Select
          label={words.outcome}
          placeholder={words.all}
          w={{ base: "calc(50% - 6px)", xs: 160 }}
          data={(["ok", "error", "cancelled", "lost"] as const).map((value) => ({
            value,
            label: words.outcomes[value],
          }))}
          value={filter.outcome ?? null}
          onChange={(value) => choose({ outcome: (value ?? undefined) as LogFilter["outcome"] })}
          clearable
          clearButtonProps={{ "aria-label": words.all }}
        />
        <TextInput
          label={words.model}
          w={{ base: "calc(50% - 6px)", xs: 190 }}
          defaultValue={filter.model ?? ""}
          onChange={(event) => typed(event.currentTarget.value)}
        />
        <WhoseFilter value={filter} onChange={choose} />
      </Group>
      <DataTable
        label={words.log}
        list={list}
        columns={useColumns()}
        rowKey={(row) => `${row.id}.${row.attempt}`}
        empty={<Empty icon={IconReceipt} title={words.emptyLogTitle} text={words.emptyLogText} />}
      />
    </Page>
  );
}

function useColumns(): Column<Row>[] {
  const words = useWords(usage);
  const format = useFormat();
  const { name } = useNames();
  const operation = (row: Row) =>
    row.operation in words.operations ? words.operations[row.operation as "chat"] : row.operation;
  return [
    {
      header: words.row.what,
      cell: (row) => (
        <>
          <Text size="sm" fw={550}>
            {operation(row)}
            {row.attempt > 1 && ` · ${words.attempt(format.number(row.attempt))}`}
          </Text>
          <Text size="xs" c="dimmed" style={{ overflowWrap: "anywhere" }}>
            {row.model}
          </Text>
        </>
      ),
    },
    { header: words.row.at, cell: (row) => <time dateTime={row.at}>{format.dateTime(row.at)}</time> },
    {
      header: words.row.who,
      cell: (row) => (
        <div>
          {row.user_id && <bdi>{name(row.user_id)}</bdi>}
          {row.key_id && (
            <Text size="xs" c="dimmed">
              <bdi>{name(row.key_id)}</bdi>
            </Text>
          )}
        </div>
      ),
    },
    {
      header: words.row.tokens,
      kind: "number",
      cell: (row) => (
        <span>
          {format.number(row.tokens)}
          {row.estimated && (
            <Text size="xs" c="dimmed">
              {words.estimated}
            </Text>
          )}
        </span>
      ),
    },
    { header: words.row.cost, kind: "number", cell: (row) => format.money(row.cost_micros, "USD") },
    { header: words.row.took, kind: "number", cell: (row) => format.seconds(row.latency_micros / 1e6) },
    {
      header: words.row.outcome,
      cell: (row) => <State color={COLOUR[row.outcome]}>{words.outcomes[row.outcome]}</State>,
    },
  ];
}
