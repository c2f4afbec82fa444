import { Badge, Group, Text } from "@mantine/core";
import { IconBuilding } from "@tabler/icons-react";
import { type Column, DataTable } from "@/components/data-table";
import { State } from "@/components/facts";
import { TextLink } from "@/components/links";
import { Page } from "@/components/page";
import { Empty } from "@/components/states";
import { useFormat } from "@/lib/format";
import { useWords } from "@/lib/words/words";
import { type Organization, useOrgs } from "../api/orgs";
import { operator } from "../words";

export const COLOUR = {
  creating: "gray",
  active: "green",
  past_due: "yellow",
  suspended: "red",
  closing: "yellow",
  erasing: "gray",
} as const;

export function OperatorOrgsPage() {
  const words = useWords(operator);
  const list = useOrgs();
  return (
    <Page title={words.orgs} intro={words.orgsIntro} help={<p>{words.orgsHelp}</p>}>
      <DataTable
        label={words.orgs}
        list={list}
        columns={useColumns()}
        rowKey={(org) => org.id}
        empty={<Empty icon={IconBuilding} title={words.orgsEmptyTitle} text={words.orgsEmptyText} />}
      />
    </Page>
  );
}

/** A figure, or a dash where it is not known. */
export function shownOr(figure: number | null | undefined, show: (figure: number) => string): string {
  return figure == null ? "–" : show(figure);
}

function useColumns(): Column<Organization>[] {
  const words = useWords(operator);
  const format = useFormat();
  return [
    {
      header: words.organization,
      cell: (org) => (
        <>
          <Group gap={8}>
            <TextLink to="/operator/orgs/$id" params={{ id: org.id }} size="sm" fw={550}>
              <bdi>{org.name}</bdi>
            </TextLink>
            {org.personal && (
              <Badge size="sm" variant="light" color="gray" tt="none">
                {words.personal}
              </Badge>
            )}
          </Group>
          <Text size="xs" c="dimmed" ff="monospace">
            {org.id}
          </Text>
        </>
      ),
    },
    {
      header: words.plan,
      cell: (org) => (
        <>
          {org.plan}
          {org.exceptions > 0 && (
            <Text size="xs" c="dimmed">
              {words.exceptions(org.exceptions)}
            </Text>
          )}
        </>
      ),
    },
    {
      header: words.spent,
      kind: "number",
      cell: ({ spent_micros: spent }) => shownOr(spent, (it) => format.money(it, "USD")),
    },
    { header: words.size, kind: "number", cell: ({ size_bytes: size }) => shownOr(size, format.bytes) },
    {
      header: words.status,
      cell: (org) => (
        <div>
          <State color={COLOUR[org.status]}>{words.statuses[org.status]}</State>
          {org.closes_at && (
            <Text size="xs" c="dimmed">
              {words.closes(format.date(org.closes_at))}
            </Text>
          )}
          {org.cold_since && (
            <Text size="xs" c="dimmed">
              {words.cold(format.date(org.cold_since))}
            </Text>
          )}
          {org.trouble && <State color="red">{words.unwell}</State>}
        </div>
      ),
    },
    { header: words.created, cell: (org) => format.date(org.created_at) },
  ];
}
