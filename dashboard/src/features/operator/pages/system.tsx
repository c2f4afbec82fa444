import { Alert, Card, Code, Group, SimpleGrid, Stack, Table, Text, Title } from "@mantine/core";
import { Ago, State } from "@/components/facts";
import { Page } from "@/components/page";
import { Failure, Loading } from "@/components/states";
import { useFormat } from "@/lib/format";
import { useWords } from "@/lib/words/words";
import { useSchema, useSystem } from "../api/installation";
import { operator } from "../words";

export function OperatorSystemPage() {
  const words = useWords(operator);
  const format = useFormat();
  const system = useSystem();
  const schema = useSchema();
  const state = system.data;
  const figures = state
    ? [
        [words.orgs, state.organizations],
        [words.people, state.people],
        [words.openFiles, state.open_files],
        [words.mailsWaiting, state.mails_waiting],
        [words.mailsFailed, state.mails_failed],
        [words.deliveries, state.deliveries],
        [words.unfinished, state.unfinished],
      ]
    : [];
  return (
    <Page title={words.system} intro={words.systemIntro} help={<p>{words.systemHelp}</p>}>
      {system.error && !state && <Failure error={system.error} retry={() => void system.refetch()} />}
      {system.isPending && <Loading />}
      {state && (
        <Stack gap="lg">
          <SimpleGrid cols={{ base: 2, sm: 3, lg: 4 }} spacing="md">
            {figures.map(([name, value]) => (
              <Card key={name} padding="md">
                <Text size="sm" c="dimmed">
                  {name}
                </Text>
                <Text fz={24} fw={650} style={{ fontVariantNumeric: "tabular-nums" }}>
                  {format.number(Number(value))}
                </Text>
              </Card>
            ))}
          </SimpleGrid>
          <SimpleGrid cols={{ base: 1, md: 2 }} spacing="lg">
            <Card>
              <Title order={2} mb="sm">
                {words.work}
              </Title>
              {state.jobs.length === 0 ? (
                <Text size="sm" c="dimmed">
                  {words.workNone}
                </Text>
              ) : (
                <Table.ScrollContainer minWidth={380} type="native" tabIndex={0}>
                  <Table tabularNums>
                    <Table.Thead>
                      <Table.Tr>
                        <Table.Th>{words.workKind}</Table.Th>
                        <Table.Th ta="end">{words.workJobs}</Table.Th>
                        <Table.Th ta="end">{words.workRunning}</Table.Th>
                        <Table.Th ta="end">{words.workRetried}</Table.Th>
                        <Table.Th>{words.workOldest}</Table.Th>
                      </Table.Tr>
                    </Table.Thead>
                    <Table.Tbody>
                      {state.jobs.map((job) => (
                        <Table.Tr key={job.kind}>
                          <Table.Td>{job.kind}</Table.Td>
                          <Table.Td ta="end">{format.number(job.jobs)}</Table.Td>
                          <Table.Td ta="end">{format.number(job.running)}</Table.Td>
                          <Table.Td ta="end">{format.number(job.retried)}</Table.Td>
                          <Table.Td>
                            <Ago time={job.oldest_due_at} />
                          </Table.Td>
                        </Table.Tr>
                      ))}
                    </Table.Tbody>
                  </Table>
                </Table.ScrollContainer>
              )}
            </Card>
            <Card>
              <Title order={2} mb="sm">
                {words.system}
              </Title>
              <Stack gap={6}>
                <Text size="sm">
                  {words.version} {state.version}
                </Text>
                <Text size="sm">
                  {words.engine}: {words.engines[state.engine as "sqlite"] ?? state.engine}
                </Text>
                {schema.data?.data.map((part) => (
                  <Group key={part.part} gap="xs">
                    <Text size="sm">
                      {words.schema} {part.part}, {part.migration}
                    </Text>
                    <State color={part.as_migrated ? "green" : "red"}>
                      {part.as_migrated ? words.asMigrated : words.differs}
                    </State>
                  </Group>
                ))}
              </Stack>
            </Card>
          </SimpleGrid>
          <Card>
            <Title order={2} mb="sm">
              {words.trouble}
            </Title>
            {state.troubled.length === 0 ? (
              <Text size="sm" c="dimmed">
                {words.troubleNone}
              </Text>
            ) : (
              <Stack gap="xs">
                {state.troubled.map(({ organization, what }) => (
                  <Alert key={organization} color="red" variant="light">
                    <Code>{organization}</Code> {what}
                  </Alert>
                ))}
              </Stack>
            )}
          </Card>
        </Stack>
      )}
    </Page>
  );
}
