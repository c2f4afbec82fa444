import { Button, Card, Group, Modal, SimpleGrid, Stack, Table, Text, Title } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { useParams } from "@tanstack/react-router";
import { useState } from "react";
import { useConfirm } from "@/components/confirm";
import { State } from "@/components/facts";
import { FailedPage } from "@/components/failed-page";
import { Page } from "@/components/page";
import { Failure, Loading } from "@/components/states";
import { useFormat } from "@/lib/format";
import { useWords } from "@/lib/words/words";
import { type Override, useDomains, useOneOrg, useOrgDeeds, useOverrides } from "../api/orgs";
import { OrgForm } from "../org-form";
import { OverrideForm } from "../override-form";
import { operator } from "../words";
import { COLOUR, shownOr } from "./orgs";

export function OperatorOrgPage() {
  const words = useWords(operator);
  const format = useFormat();
  const { id } = useParams({ from: "/operator/orgs/$id" });
  const org = useOneOrg(id);
  if (org.error && !org.data) return <FailedPage error={org.error} retry={() => void org.refetch()} />;
  if (!org.data) return <Loading />;
  const { thing } = org.data;
  const facts = [
    [words.id, thing.id],
    [words.created, format.dateTime(thing.created_at)],
    [words.zone, thing.time_zone],
    [words.spent, shownOr(thing.spent_micros, (spent) => format.money(spent, "USD"))],
    [words.size, shownOr(thing.size_bytes, format.bytes)],
    ...(thing.cold_since ? [[words.coldTitle, words.cold(format.date(thing.cold_since))]] : []),
    [words.health, thing.trouble ?? words.well],
    ...(thing.closes_at ? [[words.statuses.closing, words.closes(format.date(thing.closes_at))]] : []),
  ] as const;
  return (
    <Page
      title={thing.name}
      actions={<State color={COLOUR[thing.status]}>{words.statuses[thing.status]}</State>}
      help={<p>{words.orgsHelp}</p>}
    >
      <SimpleGrid cols={{ base: 1, md: 2 }} spacing="lg">
        <Card>
          <Title order={2} mb="md">
            {words.orgEdit}
          </Title>
          {/* Another version is another form. */}
          <OrgForm key={org.data.tag} of={org.data} />
        </Card>
        <Card>
          <Title order={2} mb="md">
            {words.organization}
          </Title>
          <Stack component="dl" gap="xs" m={0}>
            {facts.map(([name, value]) => (
              <div key={name}>
                <Text component="dt" size="xs" c="dimmed">
                  {name}
                </Text>
                <Text component="dd" size="sm" m={0} style={{ overflowWrap: "anywhere" }}>
                  {value}
                </Text>
              </div>
            ))}
          </Stack>
        </Card>
      </SimpleGrid>
      <Overrides id={id} />
      <Domains id={id} />
    </Page>
  );
}

function Overrides({ id }: { id: string }) {
  const words = useWords(operator);
  const format = useFormat();
  const confirm = useConfirm();
  const overrides = useOverrides(id);
  const { takeOverride } = useOrgDeeds(id);
  const [adding, setAdding] = useState(false);
  const take = async (override: Override) => {
    const meant = await confirm({
      title: words.overrideTakeTitle,
      text: words.overrideTakeText,
      deed: words.overrideTake,
    });
    if (meant) takeOverride.mutate(override.id);
  };
  const what = ({ exception }: Override) =>
    !exception
      ? words.overrideUnknown
      : exception.kind === "limit"
        ? `${words.meters[exception.meter]}: ${format.number(exception.limit)}`
        : `${words.features[exception.feature]}: ${exception.granted ? words.overrideGranted : words.overrideDenied}`;
  return (
    <Card mt="lg">
      <Group justify="space-between" mb="md">
        <Title order={2}>{words.overrides}</Title>
        <Button size="xs" leftSection={<IconPlus size={14} aria-hidden />} onClick={() => setAdding(true)}>
          {words.overrideNew}
        </Button>
      </Group>
      {overrides.error && <Failure error={overrides.error} retry={() => void overrides.refetch()} />}
      {overrides.isPending && <Loading lines={2} />}
      {overrides.data?.data.length === 0 && (
        <Text size="sm" c="dimmed">
          {words.overridesEmpty}
        </Text>
      )}
      <Stack gap="sm">
        {overrides.data?.data.map((override) => (
          <Group key={override.id} justify="space-between" gap="sm">
            <div style={{ flex: "1 1 220px" }}>
              <Text size="sm" fw={550}>
                {what(override)}
              </Text>
              <Text size="xs" c="dimmed">
                {override.reason} ·{" "}
                {override.until ? `${words.overrideUntil} ${format.date(override.until)}` : words.overrideForever}
              </Text>
            </div>
            <Button size="compact-sm" variant="default" onClick={() => void take(override)}>
              {words.overrideTake}
            </Button>
          </Group>
        ))}
      </Stack>
      <Modal opened={adding} onClose={() => setAdding(false)} title={words.overrideNew}>
        <OverrideForm id={id} done={() => setAdding(false)} />
      </Modal>
    </Card>
  );
}

function Domains({ id }: { id: string }) {
  const words = useWords(operator);
  const confirm = useConfirm();
  const domains = useDomains(id);
  const { verifyDomain } = useOrgDeeds(id);
  const verify = async (domain: string, of: string) => {
    const meant = await confirm({
      title: words.domainVerifyTitle(domain),
      text: words.domainVerifyText,
      deed: words.domainVerify,
    });
    if (meant) verifyDomain.mutate(of);
  };
  return (
    <Card mt="lg">
      <Title order={2} mb="md">
        {words.domains}
      </Title>
      {domains.error && <Failure error={domains.error} retry={() => void domains.refetch()} />}
      {domains.isPending && <Loading lines={2} />}
      {domains.data?.data.length === 0 && (
        <Text size="sm" c="dimmed">
          {words.domainsEmpty}
        </Text>
      )}
      {domains.data && domains.data.data.length > 0 && (
        <Table>
          <Table.Tbody>
            {domains.data.data.map(({ id: of, domain, verified_at }) => (
              <Table.Tr key={of}>
                <Table.Td>{domain}</Table.Td>
                <Table.Td>
                  <State color={verified_at ? "green" : "gray"}>
                    {verified_at ? words.domainProven : words.domainClaimed}
                  </State>
                </Table.Td>
                <Table.Td ta="end">
                  {!verified_at && (
                    <Button size="compact-sm" variant="default" onClick={() => void verify(domain, of)}>
                      {words.domainVerify}
                    </Button>
                  )}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
    </Card>
  );
}
