import { Badge, Card, Group, SimpleGrid, Skeleton, Stack, Text, Title } from "@mantine/core";
import { IconBooks, IconMessageQuestion } from "@tabler/icons-react";
import { Gauge } from "@/components/gauge";
import { ButtonLink, TextLink } from "@/components/links";
import { Page } from "@/components/page";
import { Failure } from "@/components/states";
import { forecast as expected } from "@/lib/forecast";
import { useFormat } from "@/lib/format";
import { useOrg } from "@/lib/org";
import { useWords } from "@/lib/words/words";
import { Activity } from "../activity";
import { useBudgets } from "../api/budgets";
import { useCollections, useJobs, useQuota, useUnread } from "../api/knowledge";
import { useMonth } from "../api/month";
import { Attention } from "../attention";

import { Guide } from "../guide";
import styles from "../home.module.css";
import { home } from "../words";

export function HomePage() {
  const words = useWords(home);
  const org = useOrg();
  const params = { org: org.address };
  const seesUsage = org.canSomewhere("usage.read") || org.canSomewhere("usage.all");
  return (
    <Page
      title={words.hello(org.person.name.split(" ")[0] ?? org.person.name)}
      help={
        <>
          <p>{words.help}</p>
          <p>{words.helpGuide}</p>
        </>
      }
      actions={
        <>
          {org.canSomewhere("knowledge.write") && (
            <ButtonLink
              to="/o/$org/knowledge"
              params={params}
              variant="default"
              leftSection={<IconBooks size={16} aria-hidden />}
            >
              {words.addDocuments}
            </ButtonLink>
          )}
          {org.canSomewhere("answers.use") && (
            <ButtonLink to="/o/$org/ask" params={params} leftSection={<IconMessageQuestion size={16} aria-hidden />}>
              {words.guide.deeds.question}
            </ButtonLink>
          )}
        </>
      }
    >
      <Guide />
      <SimpleGrid cols={{ base: 1, md: 2 }} spacing="lg">
        <Stack gap="lg">
          {seesUsage && <Spend />}
          <Attention />
        </Stack>
        <Stack gap="lg">
          {org.canSomewhere("knowledge.read") && <Knowledge />}
          <Activity />
        </Stack>
      </SimpleGrid>
    </Page>
  );
}

function Spend() {
  const words = useWords(home).spend;
  const format = useFormat();
  const org = useOrg();
  const month = useMonth();
  const budgets = useBudgets();
  if (month.error && !month.data) return <Failure error={month.error} retry={() => void month.refetch()} />;
  const sums = month.data;
  const budget = budgets.data?.data.find(({ level, period }) => level === "organization" && period === "month");
  const forecast = sums && expected(sums.total.cost_micros, sums.from, sums.until, Date.now());
  const most = Math.max(1, ...(sums?.data ?? []).map(({ cost_micros }) => cost_micros));
  return (
    <Card component="section" aria-label={words.title}>
      <Group gap="xs">
        <Title order={2}>{words.title}</Title>
        {sums && !sums.everybody && (
          <Badge variant="light" color="gray" tt="none">
            {words.own}
          </Badge>
        )}
      </Group>
      {!sums ? (
        <Skeleton height={120} mt="sm" />
      ) : (
        <Stack gap={6} mt={4} flex={1}>
          <Text fz={30} fw={660} lh={1.2} style={{ fontVariantNumeric: "tabular-nums" }}>
            {format.money(sums.total.cost_micros, "USD")}
          </Text>
          {forecast !== undefined && sums.total.cost_micros > 0 && (
            <Text size="sm" c="dimmed">
              {words.forecast(format.money(forecast, "USD"))}
            </Text>
          )}
          {budget?.used_micros != null && (
            <div>
              <Gauge
                mt={4}
                mb={4}
                share={budget.used_micros / Math.max(1, budget.limit_micros)}
                label={words.ofBudget(
                  format.money(budget.used_micros, budget.currency),
                  format.money(budget.limit_micros, budget.currency),
                )}
              />
              <Text size="xs" c="dimmed">
                {words.ofBudget(
                  format.money(budget.used_micros, budget.currency),
                  format.money(budget.limit_micros, budget.currency),
                )}
              </Text>
            </div>
          )}
          {sums.data.length > 1 && (
            <div className={styles.days} role="img" aria-label={words.chart}>
              {sums.data.map((day) => (
                <div
                  key={day.key}
                  className={styles.day}
                  title={`${format.dayOf(day.key ?? "")}: ${format.money(day.cost_micros, "USD")}`}
                  style={{ height: `${(100 * day.cost_micros) / most}%` }}
                />
              ))}
            </div>
          )}
          <TextLink to="/o/$org/usage" params={{ org: org.address }} size="sm" mt={4}>
            {words.more}
          </TextLink>
        </Stack>
      )}
    </Card>
  );
}

function Knowledge() {
  const words = useWords(home).knowledge;
  const format = useFormat();
  const org = useOrg();
  const collections = useCollections();
  const jobs = useJobs();
  const quota = useQuota();
  const documents = quota.data?.data.find(({ counted }) => counted === "documents")?.used;
  const unread = useUnread();
  const reading = (jobs.data?.data ?? []).filter(({ state }) =>
    ["queued", "reading", "searchable"].includes(state),
  ).length;
  const isWell = jobs.data !== undefined && reading === 0 && unread.query.data !== undefined && unread.some === 0;
  const known = collections.data?.data.length;
  return (
    <Card component="section" aria-label={words.title}>
      <Title order={2}>{words.title}</Title>
      {collections.error && known === undefined ? (
        <Failure error={collections.error} retry={() => void collections.refetch()} />
      ) : known === undefined ? (
        <Skeleton height={80} mt="sm" />
      ) : (
        <Stack gap={6} mt={4} flex={1}>
          <Text fz={30} fw={660} lh={1.2}>
            {known === 0 || documents === 0
              ? words.none
              : documents === undefined
                ? words.collections(format.number(known))
                : words.documents(format.number(documents))}
          </Text>
          {known > 0 && documents !== undefined && documents > 0 && (
            <Text size="sm" c="dimmed">
              {words.collections(format.number(known))}
            </Text>
          )}
          <Group gap="xs" mt={4}>
            {reading > 0 && (
              <Badge variant="light" color="blue" tt="none">
                {words.reading(format.number(reading))}
              </Badge>
            )}
            {unread.some > 0 && (
              <Badge variant="light" color="red" tt="none">
                {words.failed(unread.count)}
              </Badge>
            )}
            {isWell && known > 0 && (
              <Text size="sm" c="dimmed">
                {words.well}
              </Text>
            )}
          </Group>
          <TextLink to="/o/$org/knowledge" params={{ org: org.address }} size="sm" mt="auto">
            {words.more}
          </TextLink>
        </Stack>
      )}
    </Card>
  );
}
