import { Badge, Group, List, Text, ThemeIcon } from "@mantine/core";
import { IconCheck, IconMinus } from "@tabler/icons-react";
import { type Column, DataTable } from "@/components/data-table";
import { Gauge } from "@/components/gauge";
import { Section } from "@/components/section";
import { Failure, Loading } from "@/components/states";
import { useEntitlements } from "@/lib/entitlements";
import { useFormat } from "@/lib/format";
import { useOrg } from "@/lib/org";
import { useWords } from "@/lib/words/words";
import { organisations } from "./words";

/** What the plan lets the organisation have, and how much of it is taken as far as the API says. */
export function Plan() {
  const words = useWords(organisations).plan;
  const format = useFormat();
  const org = useOrg();
  const { data, error, refetch } = useEntitlements();
  if (error && !data) return <Failure error={error} retry={() => void refetch()} />;
  if (!data) return <Loading lines={6} />;
  type Meter = keyof typeof data.limits;
  const meters = (Object.keys(words.limits) as Meter[]).filter((meter) => meter in data.limits);
  const taken = (meter: Meter) => (meter === "seats" ? data.used.seats : undefined);
  const columns: Column<Meter>[] = [
    { header: words.columns.what, cell: (meter) => <Text size="sm">{words.limits[meter]}</Text> },
    {
      header: words.columns.most,
      kind: "number",
      cell: (meter) => {
        const { value } = data.limits[meter];
        return meter === "storage" ? format.bytes(value) : format.number(value);
      },
    },
    {
      header: words.columns.taken,
      kind: "number",
      cell: (meter) => {
        const used = taken(meter);
        if (used === undefined) return "–";
        const { value } = data.limits[meter];
        return (
          <div>
            {format.number(used)}{" "}
            <Text span size="xs" c="dimmed">
              ({words.seatsLeft(format.number(Math.max(0, value - used)))})
            </Text>
            <Gauge share={value > 0 ? used / value : 1} size="xs" mt={4} label={words.limits[meter]} />
          </div>
        );
      },
    },
    {
      header: words.columns.source,
      cell: (meter) => {
        const { source, until } = data.limits[meter];
        return until ? `${words.sources[source]}, ${words.until(format.date(until))}` : words.sources[source];
      },
    },
  ];
  return (
    <Section
      title={words.title}
      text={words.text}
      action={
        <Badge size="lg" variant="light" tt="capitalize">
          {org.plan}
        </Badge>
      }
    >
      <List listStyleType="none" spacing={6} size="sm" mb="md">
        {(Object.keys(words.features) as (keyof typeof words.features)[])
          .filter((feature) => feature in data.features)
          .map((feature) => {
            const { granted } = data.features[feature];
            return (
              <List.Item key={feature}>
                <Group gap={8}>
                  <ThemeIcon size={20} radius="xl" variant="light" color={granted ? "door" : "gray"} aria-hidden>
                    {granted ? <IconCheck size={13} /> : <IconMinus size={13} />}
                  </ThemeIcon>
                  <span>
                    {words.features[feature]}: {granted ? words.included : words.notIncluded}
                  </span>
                </Group>
              </List.Item>
            );
          })}
      </List>
      <DataTable
        label={words.list}
        list={{
          rows: meters,
          page: 1,
          isPending: false,
          isFetching: false,
          error: null,
          retry: () => void refetch(),
          next: undefined,
          previous: undefined,
        }}
        columns={columns}
        rowKey={(meter) => meter}
        empty={null}
      />
    </Section>
  );
}
