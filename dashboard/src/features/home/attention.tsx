/** What wants somebody's attention, the most urgent first, each with the way to mend it. */
import { Alert, Card, Group, Stack, Text, Title } from "@mantine/core";
import { IconAlertTriangle, IconBulb, IconCircleCheck } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { ButtonLink } from "@/components/links";
import { Failure } from "@/components/states";
import { useFormat } from "@/lib/format";
import { useOrg } from "@/lib/org";
import { useWords } from "@/lib/words/words";
import { useBudgets } from "./api/budgets";
import { useCollections, useQuota, useUnread } from "./api/knowledge";
import { home } from "./words";

/** From this share of a bound on it is told of. */
const NEAR = 0.8;
const DAY = 86_400_000;

interface Matter {
  key: string;
  text: string;
  isUrgent: boolean;
  mend: ReactNode;
}

export function Attention() {
  const words = useWords(home);
  const format = useFormat();
  const org = useOrg();
  const budgets = useBudgets();
  const quota = useQuota();
  const unread = useUnread();
  const collections = useCollections();
  const params = { org: org.address };
  const small = { size: "compact-sm", variant: "default" } as const;
  const toBudgets = (
    <ButtonLink to="/o/$org/usage/budgets" params={params} {...small}>
      {words.see}
    </ButtonLink>
  );
  const matters: Matter[] = [];

  for (const budget of budgets.data?.data ?? []) {
    if (budget.used_micros == null) continue;
    const share = budget.limit_micros === 0 ? 1 : budget.used_micros / budget.limit_micros;
    const name = words.levels[budget.level];
    if (share >= 1)
      matters.push({ key: budget.id, text: words.attention.budgetOver(name), isUrgent: true, mend: toBudgets });
    else if (share >= NEAR)
      matters.push({
        key: budget.id,
        text: words.attention.budgetNear(name, format.percent(share)),
        isUrgent: true,
        mend: toBudgets,
      });
    else if (budget.exhausted_at && share > 0.2 && Date.parse(budget.exhausted_at) - Date.now() < 7 * DAY)
      matters.push({
        key: budget.id,
        text: words.attention.budgetPace(name, format.ago(budget.exhausted_at)),
        isUrgent: false,
        mend: toBudgets,
      });
  }
  // Budgets are told of above.
  const bounds = (quota.data?.data ?? []).filter(({ counted }) => counted !== "cost");
  for (const { counted, limit_id, limit, used } of bounds) {
    if (limit === 0 || used / limit < NEAR) continue;
    matters.push({
      key: `${limit_id} ${counted}`,
      text: words.attention.quotaNear(words.counted[counted], format.percent(used / limit)),
      isUrgent: used >= limit,
      mend: (
        <ButtonLink to="/o/$org/usage/quota" params={params} {...small}>
          {words.see}
        </ButtonLink>
      ),
    });
  }
  if (unread.some > 0)
    matters.push({
      key: "failed",
      text: words.attention.failed(unread.count),
      isUrgent: true,
      mend: (
        <ButtonLink to="/o/$org/knowledge" params={params} {...small}>
          {words.see}
        </ButtonLink>
      ),
    });
  if (org.canSomewhere("knowledge.write") && collections.data?.data.length === 0)
    matters.push({
      key: "no-knowledge",
      text: words.attention.noKnowledge,
      isUrgent: false,
      mend: (
        <ButtonLink to="/o/$org/knowledge" params={params} {...small}>
          {words.addDocuments}
        </ButtonLink>
      ),
    });
  if (org.can("budgets.write") && budgets.data?.data.length === 0)
    matters.push({
      key: "no-budget",
      text: words.attention.noBudget,
      isUrgent: false,
      mend: (
        <ButtonLink to="/o/$org/usage/budgets" params={params} search={{ create: true }} {...small}>
          {words.makeBudget}
        </ButtonLink>
      ),
    });
  matters.sort((a, b) => Number(b.isUrgent) - Number(a.isUrgent));
  const sources = [budgets, quota, unread.query, collections];
  const isKnown = sources.every(({ isLoading, error }) => !isLoading && !error);
  const missing = sources.filter(({ error, data }) => error && !data);

  return (
    <Card component="section" aria-label={words.next}>
      <Title order={2} mb="sm">
        {words.next}
      </Title>
      {matters.length === 0 && isKnown && (
        <Group gap="xs" c="dimmed">
          <IconCircleCheck size={18} aria-hidden />
          <Text size="sm">{words.allWell}</Text>
        </Group>
      )}
      <Stack gap="xs">
        {missing[0] && (
          <Failure
            error={missing[0].error}
            retry={() => {
              for (const source of missing) void source.refetch();
            }}
          />
        )}
        {matters.slice(0, 5).map(({ key, text, isUrgent, mend }) => (
          <Alert
            key={key}
            variant="light"
            color={isUrgent ? "yellow" : "gray"}
            role="note"
            p="xs"
            icon={isUrgent ? <IconAlertTriangle aria-hidden /> : <IconBulb aria-hidden />}
          >
            <Group justify="space-between" gap="xs">
              <Text size="sm" flex="1 1 180px">
                {text}
              </Text>
              {mend}
            </Group>
          </Alert>
        ))}
      </Stack>
    </Card>
  );
}
