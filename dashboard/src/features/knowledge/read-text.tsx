/** The text of a document: of the version that is found, or of one that the address names. */
import { Alert, Card, List, Stack } from "@mantine/core";
import { useSearch } from "@tanstack/react-router";
import { useMemo } from "react";
import { blocksOf, DocumentText } from "@/components/document-text";
import { TextLink } from "@/components/links";
import { Failure, Loading } from "@/components/states";
import { ApiError } from "@/lib/api/error";
import { useOrg } from "@/lib/org";
import { useWords } from "@/lib/words/words";
import { useDocumentContent } from "./api/document-content";
import type { Document } from "./api/list-documents";
import { knowledge } from "./words";

export function ReadText({ of }: { of: Document }) {
  const words = useWords(knowledge);
  const org = useOrg();
  const { version, from, until } = useSearch({ from: "/o/$org/knowledge/documents/$document" });
  const content = useDocumentContent(of.id, version, `${of.version} ${of.status}`);
  const blocks = useMemo(() => (content.data ? blocksOf(content.data) : []), [content.data]);
  const passage = useMemo(
    () => (from !== undefined && until !== undefined ? { start: from, end: until } : undefined),
    [from, until],
  );
  if (content.isPending) return <Loading lines={12} />;
  if (content.error) {
    const unread = content.error instanceof ApiError && [404, 409].includes(content.error.status);
    return unread ? (
      <Alert color="gray">{words.document.unread}</Alert>
    ) : (
      <Failure error={content.error} retry={() => void content.refetch()} />
    );
  }
  const notes = Array.isArray(content.data.notes) ? (content.data.notes as string[]) : [];
  return (
    <Stack>
      {version !== undefined && (
        <Alert color="gray" variant="light">
          {words.document.showing(String(version))}{" "}
          <TextLink
            to="/o/$org/knowledge/documents/$document"
            params={{ org: org.address, document: of.id }}
            search={{}}
            size="sm"
          >
            {words.document.showNewest}
          </TextLink>
        </Alert>
      )}
      {notes.length > 0 && (
        <Alert color="yellow" variant="light" title={words.document.notes}>
          <List size="sm">
            {notes.map((note) => (
              <List.Item key={note}>{note}</List.Item>
            ))}
          </List>
        </Alert>
      )}
      <Card padding="xl">
        <DocumentText text={content.data.text} blocks={blocks} passage={passage} />
      </Card>
    </Stack>
  );
}
