/** The passages of a document, as they are searched. */
import { Card, Group, Stack, Text } from "@mantine/core";
import { IconFileText } from "@tabler/icons-react";
import { Pager } from "@/components/data-table";
import { TextLink } from "@/components/links";
import { Empty, Failure, Loading } from "@/components/states";
import { useOrg } from "@/lib/org";
import { useWords } from "@/lib/words/words";
import { useChunks } from "./api/list-chunks";
import type { Document } from "./api/list-documents";
import styles from "./knowledge.module.css";
import { knowledge } from "./words";

export function Passages({ of }: { of: Document }) {
  const words = useWords(knowledge);
  const org = useOrg();
  const list = useChunks(of.id);
  if (list.error && list.rows.length === 0) return <Failure error={list.error} retry={list.retry} />;
  if (list.isPending) return <Loading lines={10} />;
  if (list.rows.length === 0)
    return <Empty icon={IconFileText} title={words.document.passages} text={words.document.noPassages} />;
  return (
    <Stack gap="sm">
      {list.rows.map((chunk) => (
        <Card key={chunk.id} padding="md" component="article">
          <Group justify="space-between" mb={6}>
            <Text size="xs" c="dimmed">
              {[
                words.document.passage(String(chunk.place + 1)),
                chunk.page && words.document.page(String(chunk.page)),
                chunk.heading,
              ]
                .filter(Boolean)
                .join(" · ")}
            </Text>
            <TextLink
              to="/o/$org/knowledge/documents/$document"
              params={{ org: org.address, document: of.id }}
              search={{ from: chunk.starts, until: chunk.ends }}
              size="xs"
            >
              {words.document.inText}
            </TextLink>
          </Group>
          <Text size="sm" className={styles.result} lineClamp={8}>
            {chunk.text}
          </Text>
        </Card>
      ))}
      {(list.next || list.previous) && (
        <Card padding={0}>
          <Pager list={list} />
        </Card>
      )}
    </Stack>
  );
}
