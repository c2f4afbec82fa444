import { Badge, Card, Group, SimpleGrid, Table, Text, Title } from "@mantine/core";
import { Page } from "@/components/page";
import { Failure, Loading } from "@/components/states";
import { useFormat } from "@/lib/format";
import { useWords } from "@/lib/words/words";
import { type Plan, usePlans } from "../api/installation";
import { operator } from "../words";

/** What a plan says for “no limit”. */
const ENDLESS = 2 ** 53 - 1;

export function OperatorPlansPage() {
  const words = useWords(operator);
  const plans = usePlans();
  return (
    <Page title={words.plans} intro={words.plansIntro} help={<p>{words.plansHelp}</p>}>
      {plans.error && <Failure error={plans.error} retry={() => void plans.refetch()} />}
      {plans.isPending && <Loading />}
      <SimpleGrid cols={{ base: 1, sm: 2, lg: 3 }} spacing="lg">
        {plans.data?.data.map((plan) => (
          <PlanCard key={plan.name} plan={plan} />
        ))}
      </SimpleGrid>
    </Page>
  );
}

function PlanCard({ plan }: { plan: Plan }) {
  const words = useWords(operator);
  const format = useFormat();
  return (
    <Card>
      <Title order={2}>{plan.title}</Title>
      <Text size="xs" c="dimmed" ff="monospace">
        {plan.name}
      </Text>
      <Text size="sm" my="sm">
        {plan.description}
      </Text>
      <Group gap={6} mb="sm">
        {plan.features.map((feature) => (
          <Badge key={feature} variant="light" tt="none">
            {words.features[feature]}
          </Badge>
        ))}
      </Group>
      <Table verticalSpacing={4} horizontalSpacing={0} tabularNums>
        <Table.Tbody>
          {(Object.keys(words.meters) as (keyof typeof words.meters)[]).map((meter) => (
            <Table.Tr key={meter}>
              <Table.Td c="dimmed">{words.meters[meter]}</Table.Td>
              <Table.Td ta="end">
                {plan.limits[meter] >= ENDLESS
                  ? words.endless
                  : meter === "storage"
                    ? format.bytes(plan.limits[meter])
                    : format.number(plan.limits[meter])}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Card>
  );
}
