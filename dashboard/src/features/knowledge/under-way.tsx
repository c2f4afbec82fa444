/** What is under way in a collection: files being sent, documents being read, archives being unpacked. */
import { Button, Card, Group, Modal, Progress, Stack, Text } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { State } from "@/components/facts";
import { Failure, Loading } from "@/components/states";
import { useErrorText } from "@/lib/api/error-text";
import { useFormat } from "@/lib/format";
import { useWords } from "@/lib/words/words";
import type { Job } from "./api/get-job";
import { useArchiveFiles } from "./api/list-archive-files";
import styles from "./knowledge.module.css";
import { clearUploads, type Upload, uploadAgain, useUploads } from "./uploads";
import { isOver } from "./use-jobs";
import { knowledge } from "./words";

export function UnderWay({ collection, jobs }: { collection: string; jobs: ReadonlyMap<string, Job> }) {
  const words = useWords(knowledge);
  const uploads = useUploads().filter((one) => one.collection === collection);
  const known = new Set(uploads.map(({ job }) => job));
  // What others brought in is shown until it is over.
  const others = [...jobs.values()].filter(
    (job) => job.collection_id === collection && !known.has(job.id) && !isOver(job),
  );
  if (uploads.length === 0 && others.length === 0) return null;
  const over = uploads.some(({ state }) => state === "sent" || state === "failed");
  return (
    <Card padding={0} mb="lg" component="section" aria-label={words.uploads.title}>
      <Group justify="space-between" px="md" py="xs">
        <Text fw={600} size="sm">
          {words.uploads.title}
        </Text>
        {over && (
          <Button size="compact-xs" variant="subtle" onClick={() => clearUploads(collection)}>
            {words.uploads.clear}
          </Button>
        )}
      </Group>
      <Stack gap={0} component="ul" m={0} p={0} mah={360} style={{ listStyle: "none", overflowY: "auto" }}>
        {uploads.map((one) => (
          <UploadRow key={one.id} of={one} job={one.job ? jobs.get(one.job) : undefined} />
        ))}
        {others.map((job) => (
          <Row key={job.id} name={job.name} {...progressOf(words, job)} />
        ))}
      </Stack>
    </Card>
  );
}

interface Shown {
  text: string;
  /** Percent; `undefined` while nobody knows. */
  percent: number | undefined;
  state: "going" | "good" | "bad";
}

type Words = (typeof knowledge)["en"];

/** How far a job is, in words and percent. */
function progressOf(words: Words, job: Job): Shown {
  const { uploads } = words;
  const done = String(job.done);
  const total = job.total == null ? "?" : String(job.total);
  const share = job.total ? (100 * job.done) / job.total : undefined;
  switch (job.state) {
    case "queued":
      return { text: job.error?.message ?? uploads.queued, percent: 10, state: "going" };
    case "reading":
      return job.kind === "archive"
        ? { text: uploads.unpacking(done, total), percent: share, state: "going" }
        : { text: uploads.reading, percent: 25, state: "going" };
    case "searchable":
      return { text: uploads.searchable(done, total), percent: 40 + 0.6 * (share ?? 0), state: "going" };
    case "embedded":
      return { text: uploads.embedded, percent: 100, state: "good" };
    case "done":
      return { text: uploads.done, percent: 100, state: "good" };
    case "failed":
      return { text: job.error?.message ?? uploads.failed, percent: 100, state: "bad" };
  }
}

function UploadRow({ of, job }: { of: Upload; job: Job | undefined }) {
  const words = useWords(knowledge);
  const text = useErrorText();
  const format = useFormat();
  const [files, setFiles] = useState(false);
  const shown = ((): Shown => {
    if (of.state === "waiting") return { text: words.uploads.waiting, percent: 0, state: "going" };
    if (of.state === "sending") return { text: words.uploads.sending, percent: undefined, state: "going" };
    if (of.state === "failed") return { text: text(of.error), percent: 100, state: "bad" };
    if (of.same) return { text: words.uploads.same, percent: 100, state: "good" };
    return job ? progressOf(words, job) : { text: words.uploads.queued, percent: 10, state: "going" };
  })();
  return (
    <Row name={of.file.name} size={format.bytes(of.file.size)} {...shown}>
      {of.state === "failed" && (
        <Button size="compact-xs" variant="default" onClick={() => uploadAgain(of.id)}>
          {words.uploads.again}
        </Button>
      )}
      {job?.kind === "archive" && isOver(job) && (
        <Button size="compact-xs" variant="default" onClick={() => setFiles(true)}>
          {words.uploads.files}
        </Button>
      )}
      <Modal opened={files} onClose={() => setFiles(false)} title={words.archive.title(of.file.name)} size="lg">
        {job && <ArchiveFiles job={job.id} />}
      </Modal>
    </Row>
  );
}

function Row({
  name,
  size,
  text,
  percent,
  state,
  children,
}: Shown & { name: string; size?: string; children?: ReactNode }) {
  const words = useWords(knowledge);
  const color = { going: "door", good: "green", bad: "red" }[state];
  return (
    <li className={styles.job}>
      <Group justify="space-between" gap="xs" mb={6}>
        <Text size="sm" fw={500} flex="1 1 180px" miw={0} style={{ overflowWrap: "anywhere" }}>
          <bdi>{name}</bdi>{" "}
          <Text span size="xs" c="dimmed">
            {size}
          </Text>
        </Text>
        {children}
      </Group>
      <Progress.Root size="sm">
        <Progress.Section
          value={percent ?? 100}
          color={color}
          animated={percent === undefined}
          aria-label={words.uploads.progress(name)}
        />
      </Progress.Root>
      <Text size="xs" c={state === "bad" ? "red" : "dimmed"} mt={4} role={state === "bad" ? "alert" : undefined}>
        {text}
      </Text>
    </li>
  );
}

function ArchiveFiles({ job }: { job: string }) {
  const words = useWords(knowledge);
  const files = useArchiveFiles(job);
  if (files.error) return <Failure error={files.error} retry={() => void files.refetch()} />;
  if (!files.data) return <Loading />;
  if (files.data.data.length === 0) return <Text c="dimmed">{words.archive.none}</Text>;
  return (
    <Stack gap="xs" component="ul" m={0} p={0} style={{ listStyle: "none" }}>
      {files.data.data.map((file) => (
        <li key={file.name}>
          <Group justify="space-between" wrap="nowrap" align="flex-start">
            <Text size="sm" style={{ overflowWrap: "anywhere" }}>
              <bdi>{file.name}</bdi>
            </Text>
            <State color={file.outcome === "refused" ? "red" : file.outcome === "unchanged" ? "gray" : "green"}>
              {words.archive.outcomes[file.outcome]}
            </State>
          </Group>
          {file.error && (
            <Text size="xs" c="dimmed">
              {file.error.message}
            </Text>
          )}
        </li>
      ))}
    </Stack>
  );
}
