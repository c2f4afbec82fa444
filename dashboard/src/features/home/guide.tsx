/** The guide for whoever begins: what to do first, kept on the server, to be left and taken up again. */
import { ActionIcon, Badge, Box, Button, Card, Collapse, Group, Stack, Text, TextInput, Title } from "@mantine/core";
import { useForm } from "@mantine/form";
import { IconCircle, IconCircleCheck, IconCircleMinus, IconX } from "@tabler/icons-react";
import { useState } from "react";
import { ButtonLink } from "@/components/links";
import { Failure } from "@/components/states";
import { useSending } from "@/lib/forms";
import { type Org, useOrg } from "@/lib/org";
import { useRenamed } from "@/lib/renamed";
import { told } from "@/lib/toast";
import { shared } from "@/lib/words/shared";
import { useWords } from "@/lib/words/words";
import { useAddSamples, useRename, useTaken } from "./api/begin";
import { type Outcome, type Step, useGuide, useMarkSteps } from "./api/guide";
import { useCollections } from "./api/knowledge";
import styles from "./home.module.css";
import { home } from "./words";

type Task = Exclude<Step, "guide">;
const TASKS: readonly Task[] = ["organization", "knowledge", "question", "invitation", "key"];

/** Whether somebody may do what a step is about; a step that would be refused is none. */
function may(org: Org, task: Task): boolean {
  switch (task) {
    case "organization":
      return org.can("org.update");
    case "knowledge":
      return org.canSomewhere("knowledge.write");
    case "question":
      return org.canSomewhere("answers.use");
    case "invitation":
      return org.can("invitations.create");
    case "key":
      return org.canSomewhere("keys.create");
  }
}

const PICTURE = { done: IconCircleCheck, skipped: IconCircleMinus, ahead: IconCircle } as const;

export function Guide() {
  const words = useWords(home).guide;
  const org = useOrg();
  const guide = useGuide();
  const mark = useMarkSteps();
  const collections = useCollections();
  const shown = guide.data !== undefined && guide.data.guide === undefined && org.can("config.write");
  const taken = useTaken(shown);
  const [chosen, setChosen] = useState<Task>();
  if (!shown) return null;

  const tasks = TASKS.filter((task) => may(org, task));
  // What was done elsewhere is done.
  const seen = { ...taken, knowledge: (collections.data?.data.length ?? 0) > 0, organization: false };
  const outcome = (task: Task): Outcome | "ahead" => guide.data[task] ?? (seen[task] ? "done" : "ahead");
  const gone = tasks.filter((task) => outcome(task) !== "ahead").length;
  const open = chosen ?? tasks.find((task) => outcome(task) === "ahead");
  if (tasks.length === 0 || gone === tasks.length) return null;

  const put = (task: Task, next: Outcome | null) => {
    setChosen(undefined);
    mark.mutate({ [task]: next });
  };
  return (
    <Card mb="lg" component="section" aria-label={words.title}>
      <Group justify="space-between" wrap="nowrap" align="flex-start">
        <div>
          <Group gap="sm">
            <Title order={2}>{words.title}</Title>
            <Badge variant="light" tt="none">
              {words.progress(gone, tasks.length)}
            </Badge>
          </Group>
          <Text size="sm" c="dimmed" mt={2}>
            {words.text}
          </Text>
        </div>
        <ActionIcon
          variant="subtle"
          color="gray"
          aria-label={words.hide}
          onClick={() => mark.mutate({ guide: "skipped" }, { onSuccess: () => told(words.hidden) })}
        >
          <IconX size={18} aria-hidden />
        </ActionIcon>
      </Group>
      <Stack component="ol" gap={0} m={0} mt="sm" p={0} style={{ listStyle: "none" }}>
        {tasks.map((task) => {
          const state = outcome(task);
          const Picture = PICTURE[state];
          const isOpen = task === open;
          return (
            <Box component="li" key={task} className={styles.step}>
              <button
                type="button"
                className={styles.stepHead}
                aria-expanded={isOpen}
                onClick={() => setChosen(isOpen ? undefined : task)}
              >
                <Picture size={20} stroke={1.7} aria-hidden className={styles[state]} />
                <span className={state === "ahead" ? styles.stepAhead : styles.stepGone}>{words.steps[task]}</span>
                {state !== "ahead" && (
                  <Text span size="xs" c="dimmed">
                    {words.states[state]}
                  </Text>
                )}
              </button>
              <Collapse expanded={isOpen}>
                <Box className={styles.stepBody}>
                  <Text size="sm" c="dimmed" mb="sm">
                    {words.texts[task]}
                  </Text>
                  {isOpen && <Deed task={task} done={() => put(task, "done")} />}
                  <Group gap="xs" mt="xs">
                    {state === "ahead" ? (
                      <>
                        <Button size="compact-xs" variant="subtle" onClick={() => put(task, "done")}>
                          {words.markDone}
                        </Button>
                        <Button size="compact-xs" variant="subtle" color="gray" onClick={() => put(task, "skipped")}>
                          {words.skip}
                        </Button>
                      </>
                    ) : (
                      guide.data[task] && (
                        <Button size="compact-xs" variant="subtle" onClick={() => put(task, null)}>
                          {words.again}
                        </Button>
                      )
                    )}
                  </Group>
                </Box>
              </Collapse>
            </Box>
          );
        })}
      </Stack>
    </Card>
  );
}

function Deed({ task, done }: { task: Task; done: () => void }) {
  const words = useWords(home).guide;
  const org = useOrg();
  const params = { org: org.address };
  switch (task) {
    case "organization":
      return <Naming done={done} />;
    case "knowledge":
      return <Beginning done={done} />;
    case "question":
      return (
        <ButtonLink to="/o/$org/ask" params={params}>
          {words.deeds.question}
        </ButtonLink>
      );
    case "invitation":
      return (
        <ButtonLink to="/o/$org/members" params={params}>
          {words.deeds.invitation}
        </ButtonLink>
      );
    case "key":
      return (
        <ButtonLink to="/o/$org/keys" params={params} search={{ create: true }}>
          {words.deeds.key}
        </ButtonLink>
      );
  }
}

function Naming({ done }: { done: () => void }) {
  const words = useWords(home).guide;
  const common = useWords(shared);
  const org = useOrg();
  const rename = useRename();
  const renamed = useRenamed();
  const form = useForm({
    initialValues: { name: org.name },
    validate: { name: (value) => (value.trim() ? null : common.errors.required) },
  });
  const sending = useSending(
    form,
    ({ name }) => rename.mutateAsync(name.trim()),
    (changed) => {
      done();
      renamed(changed);
    },
  );
  return (
    <form onSubmit={sending.submit} noValidate>
      <Group align="flex-end" gap="sm">
        <TextInput label={words.name} flex="1 1 220px" maw={360} {...form.getInputProps("name")} />
        <Button type="submit" loading={sending.pending}>
          {words.deeds.organization}
        </Button>
      </Group>
      {sending.error != null && (
        <Box mt="sm">
          <Failure error={sending.error} />
        </Box>
      )}
    </form>
  );
}

function Beginning({ done }: { done: () => void }) {
  const words = useWords(home).guide;
  const org = useOrg();
  const add = useAddSamples();
  const samples = (["handbook", "returns"] as const).map((name) => ({
    title: words.sampleTitles[name],
    text: words.sampleTexts[name],
  }));
  return (
    <Group gap="sm">
      <ButtonLink to="/o/$org/knowledge" params={{ org: org.address }}>
        {words.deeds.knowledge}
      </ButtonLink>
      <Button
        variant="default"
        loading={add.isPending}
        onClick={() =>
          add.mutate(
            { name: words.collection, samples },
            {
              onSuccess: () => {
                told(words.sampled);
                done();
              },
            },
          )
        }
      >
        {words.deeds.samples}
      </Button>
    </Group>
  );
}
