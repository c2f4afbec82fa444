import { Badge, Card, Group, SimpleGrid, Skeleton, Text } from "@mantine/core";
import { Gauge } from "@/components/gauge";
import { Page } from "@/components/page";
import { Failure } from "@/components/states";
import type { Schemas } from "@/lib/api/client";
import { type Format, useFormat } from "@/lib/format";
import { useWords } from "@/lib/words/words";
import { useNames } from "../api/names";
import { type QuotaLimit, useQuota } from "../api/quota";
import { UsageHelp, UsageParts } from "../parts";
import { usage } from "../words";

/** A plan that has no bound says this instead. */
const ENDLESS = 2 ** 53 - 1;

export function QuotaPage() {
  const words = useWords(usage);
  const quota = useQuota();
  const seats = quota.data?.seats;
  return (
    <Page title={words.title} intro={words.left.intro} help={<UsageHelp />}>
      <UsageParts />
      {quota.error && !quota.data && <Failure error={quota.error} retry={() => void quota.refetch()} />}
      <SimpleGrid cols={{ base: 1, xs: 2, lg: 3 }} spacing="md">
        {quota.isPending && [1, 2, 3].map((card) => <Skeleton key={card} height={120} radius="lg" />)}
        {quota.data?.data.map((limit) => (
          <Left key={`${limit.limit_id} ${limit.counted}`} limit={limit} />
        ))}
        {seats && <Seats of={seats} />}
      </SimpleGrid>
    </Page>
  );
}

/** How many seats are taken. */
function Seats({ of }: { of: Schemas["UsageSeats"] }) {
  const words = useWords(usage);
  const format = useFormat();
  const endless = of.limit >= ENDLESS;
  return (
    <Meter
      title={words.left.seats}
      where={words.whole}
      share={endless ? 0 : of.used / Math.max(1, of.limit)}
      used={format.number(of.used)}
      limit={endless ? "∞" : format.number(of.limit)}
      notes={endless ? [] : [words.left.remaining(format.number(of.remaining))]}
    />
  );
}

/** An amount of what is counted, in words. */
function amount(limit: QuotaLimit, of: number, format: Format): string {
  if (limit.counted === "cost") return format.money(of, limit.currency ?? "USD");
  return limit.counted === "storage" ? format.bytes(of) : format.number(of);
}

function Left({ limit }: { limit: QuotaLimit }) {
  const words = useWords(usage);
  const format = useFormat();
  const { name } = useNames();
  const where = limit.subject_id
    ? `${words.levels[limit.level]}: ${name(limit.subject_id)}`
    : limit.level === "organization"
      ? words.whole
      : words.levels[limit.level];
  const endless = limit.limit >= ENDLESS;
  const notes = [
    ...(endless ? [] : [words.left.remaining(amount(limit, Math.max(0, limit.remaining), format))]),
    ...(limit.held > 0 ? [words.left.held(amount(limit, limit.held, format))] : []),
    ...(limit.resets_at ? [words.budget.resets(format.date(limit.resets_at))] : []),
    ...(limit.hard ? [] : [words.left.soft]),
  ];
  return (
    <Meter
      title={words.left.counted[limit.counted]}
      where={where}
      share={endless ? 0 : (limit.used + limit.held) / Math.max(1, limit.limit)}
      used={amount(limit, limit.used, format)}
      limit={endless ? "∞" : amount(limit, limit.limit, format)}
      notes={notes}
    />
  );
}

function Meter({
  title,
  where,
  share,
  used,
  limit,
  notes,
}: {
  title: string;
  where: string;
  /** Of one. */
  share: number;
  used: string;
  limit: string;
  notes: string[];
}) {
  const words = useWords(usage);
  const format = useFormat();
  return (
    <Card padding="md">
      <Group justify="space-between" wrap="nowrap" gap="sm">
        <Text fw={600} size="sm">
          {title}
        </Text>
        <Badge variant="light" color="gray" tt="none" fw={500} maw="60%">
          <bdi>{where}</bdi>
        </Badge>
      </Group>
      <Text fz="lg" fw={600} mt={6} style={{ fontVariantNumeric: "tabular-nums" }}>
        {words.budget.of(used, limit)}
      </Text>
      <Gauge my={8} size="sm" share={share} label={`${title}: ${format.percent(share)}`} />
      <Text size="xs" c="dimmed">
        {notes.join(" · ")}
      </Text>
    </Card>
  );
}
