import { Badge, Card, Group, Text, TextInput } from "@mantine/core";
import { IconCpu, IconSearch } from "@tabler/icons-react";
import { useState } from "react";
import { type Column, DataTable } from "@/components/data-table";
import { ButtonLink } from "@/components/links";
import { Page } from "@/components/page";
import { Empty } from "@/components/states";
import type { Pages } from "@/lib/api/paging";
import { useFormat } from "@/lib/format";
import { useOrg } from "@/lib/org";
import { useProject } from "@/lib/project";
import { useWords } from "@/lib/words/words";
import { type Model, useModels } from "../api/models";
import { ModelHelp, ModelParts } from "../parts";
import { models } from "../words";

/** How many are drawn at once; the rest is found by typing. */
const MOST = 100;

export function ModelsPage() {
  const words = useWords(models);
  const format = useFormat();
  const org = useOrg();
  const project = useProject();
  const query = useModels();
  const columns = useColumns();
  const [typed, setTyped] = useState("");
  const all = query.data?.data ?? [];
  const wanted = typed.trim().toLowerCase();
  const found = all.filter(
    ({ id, provider_name }) => id.toLowerCase().includes(wanted) || provider_name?.toLowerCase().includes(wanted),
  );
  const list: Pages<Model> = {
    rows: found.slice(0, MOST),
    page: 1,
    isPending: query.isPending,
    isFetching: query.isFetching,
    error: query.error,
    retry: () => void query.refetch(),
    next: undefined,
    previous: undefined,
  };
  return (
    <Page title={words.title} intro={words.intro} help={<ModelHelp />}>
      <ModelParts />
      {all.length > 5 && (
        <TextInput
          mb="md"
          maw={360}
          aria-label={words.filter}
          placeholder={words.filter}
          leftSection={<IconSearch size={16} aria-hidden />}
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
        />
      )}
      {wanted && found.length === 0 ? (
        <Card>
          <Text size="sm" c="dimmed">
            {words.model.nothing}
          </Text>
        </Card>
      ) : (
        <DataTable
          label={words.model.list}
          list={list}
          columns={columns}
          rowKey={(model) => model.id}
          empty={
            <Empty
              icon={IconCpu}
              title={words.model.emptyTitle}
              text={words.model.emptyText}
              action={
                org.can("providers.write", project) && (
                  <ButtonLink to="/o/$org/models/providers" params={{ org: org.address }} search={{ create: true }}>
                    {words.provider.create}
                  </ButtonLink>
                )
              }
            />
          }
        />
      )}
      <Text size="xs" c="dimmed" mt="sm" aria-live="polite">
        {words.model.perMillion}
        {found.length > MOST && ` ${words.model.more(format.number(MOST), format.number(found.length))}`}
      </Text>
    </Page>
  );
}

function useColumns(): Column<Model>[] {
  const words = useWords(models);
  const format = useFormat();
  const money = (micros: number) => (micros === 0 ? words.model.free : format.money(micros, "USD"));
  return [
    {
      header: words.model.name,
      cell: (model) => (
        <>
          <Group gap={8}>
            <Text size="sm" fw={550}>
              {model.id}
            </Text>
            {model.targets && (
              <Badge size="sm" variant="light" tt="none">
                {words.model.alias}
              </Badge>
            )}
          </Group>
          {model.targets && (
            <Text size="xs" c="dimmed">
              {words.model.leads(model.targets.map((target) => target.model).join(" → "))}
            </Text>
          )}
        </>
      ),
    },
    {
      header: words.model.from,
      cell: (model) => (
        <div>
          <Text size="sm">{model.source ? words.sources[model.source] : "–"}</Text>
          {model.provider_name && model.source !== "embedded" && (
            <Text size="xs" c="dimmed">
              <bdi>{model.provider_name}</bdi>
            </Text>
          )}
        </div>
      ),
    },
    {
      header: words.model.read,
      kind: "number",
      cell: ({ price }) => (price ? money(price.input_micros) : words.model.noPrice),
    },
    {
      header: words.model.written,
      kind: "number",
      cell: ({ price }) => (price ? money(price.output_micros) : "–"),
    },
  ];
}
