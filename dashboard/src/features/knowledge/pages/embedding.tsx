/** By which model documents are found by meaning, and choosing another. */
import { Alert, Badge, Button, Card, Group, Progress, Select, Stack, Text, TextInput, Title } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useConfirm } from "@/components/confirm";
import { FormEnd } from "@/components/form";
import { Page } from "@/components/page";
import { Failure, Loading } from "@/components/states";
import { useFormat } from "@/lib/format";
import { useSending } from "@/lib/forms";
import { useOrg } from "@/lib/org";
import { told } from "@/lib/toast";
import { shared } from "@/lib/words/shared";
import { useWords } from "@/lib/words/words";
import { type Embedding, useChooseEmbedding, useEmbedding, useForgetEmbedding } from "../api/embedding";
import { useProviders } from "../api/list-providers";
import { KnowledgeTabs } from "../tabs";
import { knowledge } from "../words";

const EMBEDDED = "embedded";
const INSTALLATION = "openai";
/** What the program brings along. */
const OWN_MODEL = "rowhouse-minilm";

export function EmbeddingPage() {
  const words = useWords(knowledge);
  const org = useOrg();
  const embedding = useEmbedding();
  return (
    <Page title={words.title} intro={words.meaning.intro} help={<p>{words.meaning.help}</p>}>
      <KnowledgeTabs at="embedding" />
      {embedding.error ? (
        <Failure error={embedding.error} retry={() => void embedding.refetch()} />
      ) : embedding.data ? (
        <Stack maw={680}>
          <Now of={embedding.data} />
          {org.can("providers.write") && <Choose of={embedding.data} />}
        </Stack>
      ) : (
        <Loading />
      )}
    </Page>
  );
}

function useProviderName() {
  const words = useWords(knowledge);
  const providers = useProviders(true);
  return (id: string) => {
    if (id === EMBEDDED) return words.meaning.builtIn;
    if (id === INSTALLATION) return words.meaning.installation;
    return providers.data?.find((one) => one.id === id)?.name ?? id;
  };
}

function Now({ of }: { of: Embedding }) {
  const words = useWords(knowledge);
  const format = useFormat();
  const nameOf = useProviderName();
  return (
    <Card component="section">
      <Group justify="space-between" mb="xs">
        <Title order={2}>{words.meaning.current}</Title>
        <Badge variant="light" color={of.chosen ? "door" : "gray"} tt="none" fw={550}>
          {of.chosen ? words.meaning.chosen : words.meaning.default}
        </Badge>
      </Group>
      <Text fw={550} style={{ overflowWrap: "anywhere" }}>
        {of.current.model}
      </Text>
      <Text size="sm" c="dimmed">
        {[nameOf(of.current.provider), of.current.size && words.meaning.size(format.number(of.current.size))]
          .filter(Boolean)
          .join(" · ")}
      </Text>
      {of.coming && (
        <Stack gap={6} mt="md" role="status">
          <Text size="sm" fw={550}>
            {words.meaning.coming(`${of.coming.model} (${nameOf(of.coming.provider)})`)}
          </Text>
          <Progress.Root>
            <Progress.Section
              value={of.percent ?? 100}
              animated={of.percent == null}
              aria-label={words.meaning.coming(of.coming.model)}
            />
          </Progress.Root>
          <Text size="xs" c="dimmed">
            {words.meaning.percent(format.percent((of.percent ?? 0) / 100))}
          </Text>
        </Stack>
      )}
      {of.error && (
        <Alert color="yellow" variant="light" mt="md" title={words.meaning.halted}>
          {of.error.message}
        </Alert>
      )}
    </Card>
  );
}

function Choose({ of }: { of: Embedding }) {
  const words = useWords(knowledge);
  const common = useWords(shared);
  const confirm = useConfirm();
  const providers = useProviders(true);
  const choose = useChooseEmbedding();
  const forget = useForgetEmbedding();
  const form = useForm({
    initialValues: { provider: EMBEDDED, model: OWN_MODEL },
    validate: { model: (value) => (value.trim() ? null : common.errors.required) },
  });
  const sending = useSending(
    form,
    async ({ provider, model }) => {
      const meant = await confirm({
        title: words.meaning.askTitle(model.trim()),
        text: words.meaning.ask,
        deed: words.meaning.choose,
      });
      return meant ? choose.mutateAsync({ provider, model: model.trim() }) : null;
    },
    (chosen) => {
      if (chosen) told(words.meaning.chose);
    },
  );
  const askAndForget = async () => {
    const { backTitle: title, backText: text, back: deed } = words.meaning;
    if (await confirm({ title, text, deed }))
      forget.mutate(undefined, { onSuccess: () => told(words.meaning.backDone) });
  };
  // Those of a project or a person are no providers of the whole organisation.
  const able = (providers.data ?? []).filter((one) => one.kind === "openai" && !one.project_id && !one.user_id);
  return (
    <Card component="section">
      <Title order={2} mb="sm">
        {words.meaning.change}
      </Title>
      <form onSubmit={sending.submit} noValidate>
        <Stack>
          <Select
            label={words.meaning.provider}
            allowDeselect={false}
            data={[
              { value: EMBEDDED, label: words.meaning.builtIn },
              { value: INSTALLATION, label: words.meaning.installation },
              ...able.map(({ id, name }) => ({ value: id, label: name })),
            ]}
            {...form.getInputProps("provider")}
            onChange={(provider) => {
              form.setValues({ provider: provider ?? EMBEDDED, model: provider === EMBEDDED ? OWN_MODEL : "" });
              form.clearErrors();
            }}
          />
          <TextInput
            label={words.meaning.model}
            description={words.meaning.modelHint}
            maxLength={200}
            required
            disabled={form.values.provider === EMBEDDED}
            {...form.getInputProps("model")}
          />
          <FormEnd sending={sending} deed={words.meaning.choose} />
        </Stack>
      </form>
      {of.chosen && (
        <Button
          variant="subtle"
          size="compact-sm"
          mt="sm"
          loading={forget.isPending}
          onClick={() => void askAndForget()}
        >
          {words.meaning.back}
        </Button>
      )}
    </Card>
  );
}
