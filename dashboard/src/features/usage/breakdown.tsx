/** Who and what used it: the largest first, as bars with their numbers. */
import { Box, Button, Card, Group, Progress, Select, Skeleton, Stack, Text, Title } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { Failure } from "@/components/states";
import { useFormat } from "@/lib/format";
import { useWords } from "@/lib/words/words";
import { type Side, useSummary, type Whose } from "./api/summary";
import { useGroupName } from "./group-name";
import { amountOf, type Measure, say } from "./measures";
import { saveSums } from "./sums-table";
import { usage } from "./words";

const BYS = ["user", "team", "project", "model", "key", "operation", "outcome"] as const satisfies readonly Side[];
/** How many stand there; the file has all. */
const MOST = 12;

export function Breakdown({
  by,
  month,
  whose,
  measure,
  onBy,
}: {
  by: Side;
  month: string | undefined;
  whose: Whose;
  measure: Measure;
  onBy: (by: Side) => void;
}) {
  const words = useWords(usage);
  const format = useFormat();
  const sums = useSummary(by, month, whose);
  const nameOf = useGroupName(by);
  const total = sums.data ? amountOf(measure, sums.data.total) : 0;
  const groups = (sums.data?.data ?? [])
    .map((group) => ({ group, amount: amountOf(measure, group) }))
    .filter(({ group }) => group.operations > 0)
    .sort((a, b) => b.amount - a.amount)
    .slice(0, MOST);
  return (
    <Card mt="md">
      <Group justify="space-between" mb="md" gap="sm">
        <Title order={2}>{words.breakdown}</Title>
        <Group gap="sm">
          <Select
            size="xs"
            w={160}
            aria-label={words.by}
            data={BYS.map((value) => ({ value, label: words.bys[value] }))}
            value={by}
            onChange={(value) => onBy((value ?? "model") as Side)}
            allowDeselect={false}
          />
          {sums.data && groups.length > 0 && (
            <Button
              variant="default"
              size="xs"
              leftSection={<IconDownload size={14} aria-hidden />}
              onClick={() => saveSums(sums.data, nameOf)}
            >
              {words.csv}
            </Button>
          )}
        </Group>
      </Group>
      {sums.error && !sums.data && <Failure error={sums.error} retry={() => void sums.refetch()} />}
      {sums.isPending && <Skeleton height={120} />}
      {sums.data && groups.length === 0 && (
        <Text c="dimmed" size="sm">
          {words.emptyTitle}
        </Text>
      )}
      <Stack gap="sm" component="ul" m={0} p={0} style={{ listStyle: "none" }}>
        {groups.map(({ group, amount }) => (
          <Box component="li" key={group.key ?? ""}>
            <Group justify="space-between" gap="md" wrap="nowrap" mb={4}>
              <Text size="sm" fw={500} truncate>
                <bdi>{nameOf(group)}</bdi>
              </Text>
              <Text size="sm" style={{ fontVariantNumeric: "tabular-nums", whiteSpace: "nowrap" }}>
                {say(measure, amount, format)}{" "}
                <Text span size="xs" c="dimmed">
                  {format.percent(total === 0 ? 0 : amount / total)}
                </Text>
              </Text>
            </Group>
            <Progress value={total === 0 ? 0 : (100 * amount) / total} size="sm" aria-hidden />
          </Box>
        ))}
      </Stack>
    </Card>
  );
}
