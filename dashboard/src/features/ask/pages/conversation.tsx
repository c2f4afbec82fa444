/** A conversation. */
import { Box, Group, Stack, Text, Title } from "@mantine/core";
import { IconArrowLeft } from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { TextLink } from "@/components/links";
import { useTitle } from "@/components/page";
import { Failure, Loading } from "@/components/states";
import { useDirectory } from "@/lib/directory";
import { useOrg } from "@/lib/org";
import { useWords } from "@/lib/words/words";
import { beginAnswer, forgetAnswer, stopAnswer, useUnderWay } from "../answers-under-way";
import { useThread } from "../api/get-thread";
import { type Citation, type Message, useMessages } from "../api/list-messages";
import type { Thread } from "../api/list-threads";
import styles from "../ask.module.css";
import { Composer } from "../composer";
import { SourcePanel } from "../source-panel";
import { ThreadMenu } from "../thread-menu";
import { Answer, Coming, Question } from "../turn";
import { asking } from "../words";

export function Conversation() {
  const { thread: id } = useParams({ from: "/o/$org/ask/$thread" });
  const words = useWords(asking);
  const org = useOrg();
  const thread = useThread(id);
  const messages = useMessages(id);
  useTitle(thread.data?.title || words.title);

  const error = thread.error ?? (messages.data ? null : messages.error);
  if (error) return <Failure error={error} retry={() => void Promise.all([thread.refetch(), messages.refetch()])} />;
  return (
    <div className={styles.conversation}>
      <Box hiddenFrom="md" mb="xs">
        <TextLink to="/o/$org/ask" params={{ org: org.address }} size="sm">
          <Group gap={4} component="span">
            <IconArrowLeft size={14} aria-hidden /> {words.back}
          </Group>
        </TextLink>
      </Box>
      {thread.data && messages.data ? (
        <Said key={id} thread={thread.data} messages={messages.data} />
      ) : (
        <Loading lines={8} />
      )}
    </div>
  );
}

function Said({ thread, messages }: { thread: Thread; messages: readonly Message[] }) {
  const words = useWords(asking);
  const org = useOrg();
  const queries = useQueryClient();
  const directory = useDirectory();
  const coming = useUnderWay(thread.id);
  const mine = thread.created_by === org.person.id;
  const end = useRef<HTMLDivElement>(null);

  const { cite } = useSearch({ from: "/o/$org/ask/$thread" });
  const navigate = useNavigate({ from: "/o/$org/ask/$thread" });
  const [turn, number] = cite?.split(".") ?? [];
  const cited = messages.find(({ id }) => id === turn)?.citations.find(({ n }) => String(n) === number);
  const open = (of: Message) => (citation: Citation) =>
    void navigate({ search: (before) => ({ ...before, cite: `${of.id}.${citation.n}` }), resetScroll: false });

  // What comes is followed, until the reader scrolls away from it.
  const length = coming?.text.length ?? 0;
  // biome-ignore lint/correctness/useExhaustiveDependencies: what is new moves the page
  useEffect(() => {
    const { scrollHeight, clientHeight, scrollTop } = document.documentElement;
    if (scrollHeight - clientHeight - scrollTop < 400) end.current?.scrollIntoView({ block: "end" });
  }, [messages.length, length, coming?.step]);

  const send = (wish: Parameters<typeof beginAnswer>[3]) => {
    void beginAnswer(org, queries, thread.id, wish);
    requestAnimationFrame(() => end.current?.scrollIntoView({ block: "end" }));
  };
  const under = coming && coming.step !== "stopped" && coming.step !== "failed";
  return (
    <>
      <Group justify="space-between" align="flex-start" wrap="nowrap" mb="lg">
        <Title order={2} lineClamp={2} style={{ overflowWrap: "anywhere" }}>
          <bdi>{thread.title || coming?.wish.content || words.untitled}</bdi>
        </Title>
        <ThreadMenu of={thread} />
      </Group>
      <Stack gap="xl" pb="lg" aria-live="polite">
        {messages.map((message) =>
          message.role === "user" ? (
            <Question key={message.id} text={message.content} />
          ) : (
            <Answer key={message.id} of={message} mine={mine} open={open(message)} />
          ),
        )}
        {coming && (
          <Coming
            of={coming}
            again={() => {
              forgetAnswer(thread.id);
              send(coming.wish);
            }}
          />
        )}
        <div ref={end} style={{ scrollMarginBottom: 130 }} />
      </Stack>
      {mine ? (
        <Composer
          project={thread.project_id ?? undefined}
          send={(wish, sent) => {
            send(wish);
            // From here on the question stands above, whatever becomes of its answer.
            sent();
          }}
          stop={under ? () => stopAnswer(thread.id) : undefined}
        />
      ) : (
        <Text size="sm" c="dimmed" ta="center" py="md">
          {words.onlyOwner(directory.nameOf(thread.created_by) ?? words.otherOwner)}
        </Text>
      )}
      <SourcePanel
        of={cited}
        close={() => void navigate({ search: (before) => ({ ...before, cite: undefined }), resetScroll: false })}
      />
    </>
  );
}
