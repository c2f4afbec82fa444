import { Alert, Button, Card, Group, SegmentedControl, Select, SimpleGrid, Skeleton, Text, Title } from "@mantine/core";
import { IconChartBar, IconDownload } from "@tabler/icons-react";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { lazy, type ReactNode, Suspense } from "react";
import { Page } from "@/components/page";
import { Empty, Failure } from "@/components/states";
import { monthAt, monthsTo } from "@/lib/days";
import { forecast } from "@/lib/forecast";
import { useFormat } from "@/lib/format";
import { useProject } from "@/lib/project";
import { useWords } from "@/lib/words/words";
import { type Side, type Summary, useSummary } from "../api/summary";
import { Breakdown } from "../breakdown";

import { useGroupName } from "../group-name";
import { LiveCounter } from "../live-counter";
import { amountOf, MEASURES, type Measure, say } from "../measures";
import { UsageHelp, UsageParts } from "../parts";
import { SumsTable, saveSums } from "../sums-table";
import { WhoseFilter } from "../whose-filter";
import { usage } from "../words";

const Bars = lazy(() => import("../bars").then((module) => ({ default: module.Bars })));

/** How many months back can be chosen. */
const MONTHS = 12;

export function UsagePage() {
  const words = useWords(usage);
  const format = useFormat();
  const project = useProject();
  const {
    month,
    measure = "cost",
    by = "model",
    view = "chart",
    user,
    team,
    key,
  } = useSearch({ from: "/o/$org/usage" });
  const navigate = useNavigate({ from: "/o/$org/usage" });
  const whose = { user, team, key, project };
  const days = useSummary("day", month, whose);
  const choose = (next: { month?: string; measure?: Measure; by?: Side; view?: "chart" | "table" }) =>
    void navigate({ search: (before) => ({ ...before, ...next }), replace: true });
  const sums = days.data;
  // The organisation's, as the sums are.
  const thisMonth = monthAt(Date.now(), sums?.time_zone ?? "UTC");

  return (
    <Page title={words.title} intro={words.intro} help={<UsageHelp />} actions={<LiveCounter />}>
      <UsageParts />
      <Group mb="lg" gap="sm" align="flex-end">
        <Select
          label={words.month}
          w={{ base: "calc(50% - 6px)", xs: 190 }}
          data={monthsTo(thisMonth, MONTHS).map((value) => ({ value, label: format.monthOf(value) }))}
          value={month ?? thisMonth}
          onChange={(value) => choose({ month: value === thisMonth ? undefined : (value ?? undefined) })}
          allowDeselect={false}
        />
        <WhoseFilter
          value={{ user, team, key }}
          onChange={(next) => void navigate({ search: (before) => ({ ...before, ...next }), replace: true })}
        />
      </Group>
      {sums && !sums.everybody && (
        <Alert variant="light" color="gray" mb="lg">
          {words.own}
        </Alert>
      )}
      {days.error && !sums ? (
        <Failure error={days.error} retry={() => void days.refetch()} />
      ) : (
        <>
          <Figures sums={sums} />
          <Card mt="md">
            <Group justify="space-between" mb="md" gap="sm">
              <Title order={2}>{words.perDay(words.measures[measure])}</Title>
              <Group gap="sm">
                <SegmentedControl
                  size="xs"
                  aria-label={words.measure}
                  data={MEASURES.map((value) => ({ value, label: words.measures[value] }))}
                  value={measure}
                  onChange={(value) => choose({ measure: value as Measure })}
                />
                <SegmentedControl
                  size="xs"
                  aria-label={words.view}
                  data={[
                    { value: "chart", label: words.chart },
                    { value: "table", label: words.table },
                  ]}
                  value={view}
                  onChange={(value) => choose({ view: value as "chart" | "table" })}
                />
              </Group>
            </Group>
            {!sums ? (
              <Skeleton height={220} />
            ) : sums.data.length === 0 ? (
              <Empty icon={IconChartBar} title={words.emptyTitle} text={words.emptyText} />
            ) : view === "chart" ? (
              <Suspense fallback={<Skeleton height={220} />}>
                <Bars
                  days={sums.data}
                  measure={measure}
                  label={words.chartLabel(
                    words.perDay(words.measures[measure]),
                    say(measure, amountOf(measure, sums.total), format),
                  )}
                />
              </Suspense>
            ) : (
              <DayTable sums={sums} />
            )}
          </Card>
          <Breakdown by={by} month={month} whose={whose} measure={measure} onBy={(next) => choose({ by: next })} />
        </>
      )}
    </Page>
  );
}

function Figures({ sums }: { sums: Summary | undefined }) {
  const words = useWords(usage);
  const format = useFormat();
  const expected = sums && forecast(sums.total.cost_micros, sums.from, sums.until, Date.now());
  return (
    <SimpleGrid cols={{ base: 2, md: 4 }} spacing="md">
      <Figure name={words.spent} value={sums && format.money(sums.total.cost_micros, "USD")} />
      <Figure
        name={words.forecast}
        value={sums && (expected === undefined ? "–" : format.money(expected, "USD"))}
        note={expected === undefined ? words.forecastNone : words.forecastNote}
      />
      <Figure name={words.requests} value={sums && format.number(sums.total.requests)} />
      <Figure
        name={words.tokens}
        value={sums && format.compact(sums.total.tokens)}
        note={
          sums && words.tokensSplit(format.compact(sums.total.input_tokens), format.compact(sums.total.output_tokens))
        }
      />
    </SimpleGrid>
  );
}

function Figure({ name, value, note }: { name: string; value: string | undefined; note?: ReactNode }) {
  return (
    <Card padding="md">
      <Text size="sm" c="dimmed">
        {name}
      </Text>
      {value === undefined ? (
        <Skeleton height={28} width="60%" mt={6} />
      ) : (
        <Text fz={24} fw={650} lh={1.3} style={{ fontVariantNumeric: "tabular-nums" }}>
          {value}
        </Text>
      )}
      {note && (
        <Text size="xs" c="dimmed">
          {note}
        </Text>
      )}
    </Card>
  );
}

/** The same numbers as the chart, and all of them. */
function DayTable({ sums }: { sums: Summary }) {
  const words = useWords(usage);
  const nameOf = useGroupName("day");
  return (
    <>
      <SumsTable sums={sums} nameOf={nameOf} />
      <Group justify="flex-end" mt="sm">
        <Button
          variant="default"
          size="xs"
          leftSection={<IconDownload size={14} aria-hidden />}
          onClick={() => saveSums(sums, nameOf)}
        >
          {words.csv}
        </Button>
      </Group>
    </>
  );
}
