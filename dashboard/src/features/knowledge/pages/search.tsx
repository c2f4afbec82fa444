/** Search: passages by words and by meaning, and why. */
import {
  Alert,
  Badge,
  Button,
  Card,
  Collapse,
  Group,
  List,
  MultiSelect,
  SimpleGrid,
  Stack,
  Switch,
  TagsInput,
  Text,
  TextInput,
  Title,
} from "@mantine/core";
import { useForm } from "@mantine/form";
import { IconAdjustmentsHorizontal, IconSearch, IconZoomQuestion } from "@tabler/icons-react";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { TextLink } from "@/components/links";
import { Page } from "@/components/page";
import { Empty, Failure, Loading } from "@/components/states";
import { cuttable, pieces } from "@/lib/bytes";
import { useFormat } from "@/lib/format";
import { useOrg } from "@/lib/org";
import { useProject } from "@/lib/project";
import { shared } from "@/lib/words/shared";
import { useWords } from "@/lib/words/words";
import { useAllCollections } from "../api/all-collections";
import { type Explanation, type Found, useSearch as useFind, type Wanted } from "../api/search";
import styles from "../knowledge.module.css";
import { KnowledgeTabs } from "../tabs";
import { knowledge } from "../words";

const KINDS = ["pdf", "docx", "xlsx", "epub", "csv", "html", "markdown", "text", "json", "eml"] as const;
const ORIGINS = ["upload", "text", "web", "correction"] as const;
/** Passages that are shown; who wants others says more exactly what. */
const MOST = 20;

/** What the address says is looked for. */
export interface Sought {
  q?: string;
  in?: string[];
  kinds?: string[];
  tags?: string[];
  sources?: string[];
  since?: string;
  until?: string;
  why?: boolean;
}

export function SearchPage() {
  const words = useWords(knowledge);
  const project = useProject();
  const collections = useAllCollections(project);
  const sought: Sought = useSearch({ from: "/o/$org/knowledge/search" });
  // A project narrows the search to its collections, as it does the other pages.
  const among = sought.in ?? (project ? collections.data?.data.map(({ id }) => id) : undefined);
  const wanted: Wanted = {
    query: sought.q ?? "",
    limit: MOST,
    explain: sought.why ?? false,
    ...(among ? { collections: among } : {}),
    filters: {
      ...(sought.kinds ? { kinds: sought.kinds } : {}),
      ...(sought.tags ? { tags: sought.tags } : {}),
      ...(sought.sources ? { sources: sought.sources } : {}),
      ...(sought.since ? { since: new Date(sought.since).toISOString() } : {}),
      ...(sought.until ? { until: new Date(sought.until).toISOString() } : {}),
    },
  };
  const found = useFind(wanted);
  return (
    <Page title={words.title} intro={words.find.intro} help={<p>{words.help}</p>} width={1120}>
      <KnowledgeTabs at="search" />
      <SearchForm key={JSON.stringify(sought)} of={sought} busy={found.isFetching} />
      {!sought.q ? (
        <Empty icon={IconSearch} title={words.find.startTitle} text={words.find.start} />
      ) : found.error ? (
        <Failure error={found.error} retry={() => void found.refetch()} />
      ) : !found.data ? (
        <Loading lines={10} />
      ) : (
        <Stack mt="lg" aria-busy={found.isFetching}>
          <Text size="sm" c="dimmed" role="status">
            {words.find.results(String(found.data.results.length), String(found.data.collections))}
          </Text>
          {found.data.results.length === 0 && (
            <Empty icon={IconZoomQuestion} title={words.find.noneTitle} text={words.find.none} />
          )}
          {found.data.results.map((result) => (
            <Result key={result.chunk_id} of={result} why={sought.why === true} />
          ))}
          {found.data.explanation && <Explained of={found.data.explanation} />}
        </Stack>
      )}
    </Page>
  );
}

function SearchForm({ of, busy }: { of: Sought; busy: boolean }) {
  const words = useWords(knowledge);
  const common = useWords(shared);
  const collections = useAllCollections(useProject());
  const navigate = useNavigate({ from: "/o/$org/knowledge/search" });
  const form = useForm({
    initialValues: {
      q: of.q ?? "",
      in: of.in ?? [],
      kinds: of.kinds ?? [],
      tags: of.tags ?? [],
      sources: of.sources ?? [],
      since: of.since ?? "",
      until: of.until ?? "",
      why: of.why ?? false,
    },
  });
  const filters = [of.in, of.kinds, of.tags, of.sources, of.since, of.until].filter(Boolean).length;
  const [open, setOpen] = useState(filters > 0);
  const search = form.onSubmit((values) => {
    const given = Object.entries({ ...values, q: values.q.trim() }).filter(([, value]) =>
      Array.isArray(value) ? value.length > 0 : Boolean(value),
    );
    void navigate({ search: ({ project }) => ({ project, ...(Object.fromEntries(given) as Sought) }) });
  });
  return (
    <form onSubmit={search}>
      <Group gap="xs" align="flex-end" wrap="nowrap">
        <TextInput
          flex={1}
          type="search"
          size="md"
          aria-label={words.find.label}
          placeholder={words.find.hint}
          leftSection={<IconSearch size={18} aria-hidden />}
          maxLength={1000}
          {...form.getInputProps("q")}
        />
        <Button type="submit" size="md" loading={busy}>
          {common.search}
        </Button>
      </Group>
      <Group mt="sm" gap="lg">
        <Button
          size="compact-sm"
          variant="subtle"
          leftSection={<IconAdjustmentsHorizontal size={16} aria-hidden />}
          aria-expanded={open}
          onClick={() => setOpen(!open)}
        >
          {words.find.filters}
          {filters > 0 && ` (${filters})`}
        </Button>
        <Switch size="sm" label={words.find.why} {...form.getInputProps("why", { type: "checkbox" })} />
      </Group>
      <Collapse expanded={open}>
        <SimpleGrid cols={{ base: 1, sm: 2, md: 3 }} mt="md">
          <MultiSelect
            label={words.find.collections}
            data={(collections.data?.data ?? []).map(({ id, name }) => ({ value: id, label: name }))}
            searchable
            clearable
            {...form.getInputProps("in")}
          />
          <MultiSelect
            label={words.find.kinds}
            data={KINDS.map((kind) => ({ value: kind, label: words.kinds[kind] }))}
            clearable
            {...form.getInputProps("kinds")}
          />
          <TagsInput label={words.find.tags} {...form.getInputProps("tags")} />
          <MultiSelect
            label={words.find.sources}
            data={ORIGINS.map((origin) => ({ value: origin, label: words.origins[origin] }))}
            clearable
            {...form.getInputProps("sources")}
          />
          <TextInput type="date" label={words.find.since} {...form.getInputProps("since")} />
          <TextInput type="date" label={words.find.until} {...form.getInputProps("until")} />
        </SimpleGrid>
      </Collapse>
    </form>
  );
}

/** Bytes of a passage that are shown before the first word of the query. */
const BEFORE = 60;

function Result({ of, why }: { of: Found; why: boolean }) {
  const words = useWords(knowledge);
  const org = useOrg();
  const format = useFormat();
  const shown = useMemo(() => {
    const text = cuttable(of.text);
    const first = of.highlights[0]?.start ?? 0;
    // A passage begins to be shown at a line, where its first found word would not be seen otherwise.
    const head = first > BEFORE ? text.cut({ start: 0, end: first }).lastIndexOf("\n") : -1;
    const start = head < 0 ? 0 : new TextEncoder().encode(text.cut({ start: 0, end: first }).slice(0, head + 1)).length;
    const parts = pieces(text, { start, end: text.length }, of.highlights);
    // Empty lines would push what was found out of sight.
    return { cut: start > 0, parts: parts.map((part) => ({ ...part, text: part.text.replace(/\n\s*\n/g, "\n") })) };
  }, [of]);
  return (
    <Card padding="md" component="article">
      <Group justify="space-between" gap="xs" mb={4}>
        <TextLink
          to="/o/$org/knowledge/documents/$document"
          params={{ org: org.address, document: of.document_id }}
          search={{ from: of.start, until: of.end }}
          fw={600}
        >
          <bdi>{of.title}</bdi>
        </TextLink>
        <Text size="xs" c="dimmed">
          {[of.heading, of.page && words.document.page(String(of.page))].filter(Boolean).join(" · ")}
        </Text>
      </Group>
      <Text size="sm" className={styles.result} lineClamp={5} component="div">
        {shown.cut && "… "}
        {shown.parts.map(
          (piece, at) =>
            // biome-ignore-start lint/suspicious/noArrayIndexKey: the pieces of a text do not move
            piece.marked ? <mark key={at}>{piece.text}</mark> : <span key={at}>{piece.text}</span>,
          // biome-ignore-end lint/suspicious/noArrayIndexKey: the pieces of a text do not move
        )}
      </Text>
      {why && (
        <Group gap={6} mt="sm">
          <Badge variant="light" tt="none" fw={550}>
            {format.percent(of.score)}
          </Badge>
          <Badge variant="light" color="gray" tt="none" fw={500}>
            {of.why.words == null ? words.find.noWords : words.find.words(of.why.words.toFixed(2))}
          </Badge>
          <Badge variant="light" color="gray" tt="none" fw={500}>
            {of.why.meaning == null ? words.find.noMeaning : words.find.meaning(of.why.meaning.toFixed(2))}
          </Badge>
        </Group>
      )}
    </Card>
  );
}

function Explained({ of }: { of: Explanation }) {
  const words = useWords(knowledge);
  const org = useOrg();
  return (
    <Card component="section">
      <Title order={2} mb="sm">
        {words.find.explained}
      </Title>
      <Stack gap="md">
        {of.meaning.error ? (
          <Alert color="yellow" variant="light" title={words.find.wordsAlone}>
            {of.meaning.error.message}
          </Alert>
        ) : (
          <Text size="sm">{words.find.comparedBy(of.meaning.model)}</Text>
        )}
        <div>
          <Title order={3} mb={6}>
            {words.find.searched}
          </Title>
          <List size="sm">
            {of.collections.map((one) => (
              <List.Item key={one.collection_id}>
                <bdi>{one.name}</bdi>: {words.find.grants[one.grant]}
              </List.Item>
            ))}
          </List>
        </div>
        {of.left_out.length > 0 && (
          <div>
            <Title order={3} mb={6}>
              {words.find.leftOut}
            </Title>
            <List size="sm">
              {of.left_out.map((one) => (
                <List.Item key={one.document_id}>
                  <TextLink
                    to="/o/$org/knowledge/documents/$document"
                    params={{ org: org.address, document: one.document_id }}
                    inherit
                  >
                    <bdi>{one.title || one.document_id}</bdi>
                  </TextLink>
                  : {words.find.reasons[one.why]}
                </List.Item>
              ))}
            </List>
            {of.more && (
              <Text size="sm" c="dimmed" mt={4}>
                {words.find.more}
              </Text>
            )}
          </div>
        )}
      </Stack>
    </Card>
  );
}
