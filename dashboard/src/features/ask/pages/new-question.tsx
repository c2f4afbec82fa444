/** Where a conversation begins. */
import { Stack, Text, Title } from "@mantine/core";
import { IconBooks } from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { ButtonLink } from "@/components/links";
import { Empty, Failure } from "@/components/states";
import { useOrg } from "@/lib/org";
import { useProjectFor } from "@/lib/project";
import { useWords } from "@/lib/words/words";
import { beginAnswer } from "../answers-under-way";
import type { Wish } from "../api/ask";
import { useCreateThread } from "../api/create-thread";
import { useCollections } from "../api/list-collections";
import styles from "../ask.module.css";
import { Composer } from "../composer";
import { asking } from "../words";

export function NewQuestion() {
  const words = useWords(asking);
  const org = useOrg();
  const project = useProjectFor("answers.use");
  const queries = useQueryClient();
  const navigate = useNavigate();
  const create = useCreateThread();
  const collections = useCollections(project);

  const send = (wish: Wish, sent: () => void) =>
    create.mutate(project, {
      onSuccess: ({ id }) => {
        sent();
        void beginAnswer(org, queries, id, wish);
        void navigate({ to: "/o/$org/ask/$thread", params: { org: org.address, thread: id } });
      },
    });
  if (collections.data?.data.length === 0) {
    return (
      <Empty
        icon={IconBooks}
        title={words.noKnowledgeTitle}
        text={words.noKnowledge}
        action={
          org.canSomewhere("knowledge.write") && (
            <ButtonLink to="/o/$org/knowledge" params={{ org: org.address }}>
              {words.addKnowledge}
            </ButtonLink>
          )
        }
      />
    );
  }
  return (
    <div className={`${styles.conversation} ${styles.fresh}`}>
      <Stack gap={6} className={styles.hello}>
        <Title order={2} fz={26} fw={620}>
          {words.hello}
        </Title>
        <Text c="dimmed">{words.helloText}</Text>
        {create.error && <Failure error={create.error} />}
      </Stack>
      <Composer project={project} send={send} busy={create.isPending} />
    </div>
  );
}
