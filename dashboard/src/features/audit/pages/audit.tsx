import { ActionIcon, Button, Code, Drawer, Menu, Stack, Text } from "@mantine/core";
import { IconDownload, IconHistory, IconInfoCircle } from "@tabler/icons-react";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { type Column, DataTable } from "@/components/data-table";
import { Page } from "@/components/page";
import { Empty } from "@/components/states";
import { useEntitlements } from "@/lib/entitlements";
import { useFormat } from "@/lib/format";
import { useOrg } from "@/lib/org";
import { usePeople, useProjects, useRoles, useTeams } from "@/lib/roster";
import { useWho } from "@/lib/who";
import { shared } from "@/lib/words/shared";
import { useWords } from "@/lib/words/words";
import { useExport } from "../api/export-log";
import { type Entry, useEntries } from "../api/list-entries";
import { ChainMark } from "../chain-mark";
import { EntryInFull } from "../entry-in-full";
import type { Filter } from "../filter";
import { Filters } from "../filters";
import { audit } from "../words";

export function AuditPage() {
  const words = useWords(audit);
  const org = useOrg();
  const format = useFormat();
  const search = useSearch({ from: "/o/$org/audit" });
  const { actor, action, object, from, until } = search;
  const filter: Filter = { actor, action, object, from, until };
  const navigate = useNavigate({ from: "/o/$org/audit" });
  const list = useEntries(filter);
  const entitlements = useEntitlements();
  const save = useExport();
  const [shown, setShown] = useState<Entry>();
  const set = (part: Filter) => void navigate({ search: (before) => ({ ...before, ...part }), replace: true });
  return (
    <Page
      title={words.title}
      intro={words.intro}
      help={
        <>
          <p>{words.help}</p>
          <p>{words.helpDetail}</p>
        </>
      }
      actions={
        org.can("audit.export") &&
        entitlements.data?.features.audit_export.granted && (
          <Menu position="bottom-end">
            <Menu.Target>
              <Button variant="default" leftSection={<IconDownload size={16} aria-hidden />} loading={save.isPending}>
                {words.export.deed}
              </Button>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Item onClick={() => save.mutate({ filter, format: "csv" })}>{words.export.csv}</Menu.Item>
              <Menu.Item onClick={() => save.mutate({ filter, format: "jsonl" })}>{words.export.jsonl}</Menu.Item>
            </Menu.Dropdown>
          </Menu>
        )
      }
    >
      <Stack>
        <ChainMark />
        <Filters of={filter} set={set} />
        <DataTable
          label={words.list}
          list={list}
          columns={useColumns(setShown)}
          rowKey={(entry) => entry.id}
          empty={<Empty icon={IconHistory} title={words.emptyTitle} text={words.emptyText} />}
        />
      </Stack>
      <Drawer
        opened={shown !== undefined}
        onClose={() => setShown(undefined)}
        position="right"
        padding="lg"
        title={shown && words.entry(format.number(shown.seq))}
      >
        {shown && (
          <EntryInFull
            of={shown}
            about={(object) => {
              setShown(undefined);
              set({ object });
            }}
          />
        )}
      </Drawer>
    </Page>
  );
}

function useColumns(show: (entry: Entry) => void): Column<Entry>[] {
  const words = useWords(audit);
  const common = useWords(shared);
  const format = useFormat();
  const org = useOrg();
  const people = usePeople();
  const whoIs = useWho();
  const teams = useTeams();
  const projects = useProjects();
  const roles = useRoles();
  const nameOf = (id: string): string | undefined => {
    if (id === org.id) return org.name;
    return people.find(id)?.name ?? teams.find(id)?.name ?? projects.find(id)?.name ?? roles.find(id)?.name;
  };
  return [
    {
      header: words.columns.action,
      cell: ({ action }) => <Code fz="sm">{action}</Code>,
    },
    { header: words.columns.who, cell: ({ actor, on_behalf_of }) => <bdi>{whoIs(actor, on_behalf_of)}</bdi> },
    {
      header: words.columns.object,
      cell: ({ object }) => {
        const name = nameOf(object);
        return name ? (
          <bdi>{name}</bdi>
        ) : (
          <Text size="xs" c="dimmed" ff="monospace" component="span">
            {object.length > 20 ? `${object.slice(0, 8)}…${object.slice(-4)}` : object}
          </Text>
        );
      },
    },
    { header: words.columns.at, cell: ({ at }) => <time dateTime={at}>{format.dateTime(at)}</time> },
    { header: words.columns.address, cell: ({ address }) => address || "–" },
    {
      header: common.actions,
      kind: "actions",
      cell: (entry) => (
        <ActionIcon
          variant="subtle"
          color="gray"
          aria-label={words.detailsOf(format.number(entry.seq))}
          onClick={() => show(entry)}
        >
          <IconInfoCircle size={18} aria-hidden />
        </ActionIcon>
      ),
    },
  ];
}
