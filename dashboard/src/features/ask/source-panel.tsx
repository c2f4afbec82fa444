/** The document that an answer cites, at the passage. */
import { Alert, Drawer, Group, Stack, Text } from "@mantine/core";
import { useMemo } from "react";
import { blocksOf, DocumentText } from "@/components/document-text";
import { ButtonLink } from "@/components/links";
import { Failure, Loading } from "@/components/states";
import { cuttable, placeOf } from "@/lib/bytes";
import { useOrg } from "@/lib/org";
import { useWords } from "@/lib/words/words";
import type { Citation } from "./api/list-messages";
import { useDocumentText } from "./api/read-document";
import { asking } from "./words";

export function SourcePanel({ of, close }: { of: Citation | undefined; close: () => void }) {
  const words = useWords(asking);
  return (
    <Drawer
      opened={of !== undefined}
      onClose={close}
      position="right"
      size="min(620px, 100vw)"
      padding="lg"
      title={of && words.source(String(of.n), of.title ?? "")}
      overlayProps={{ backgroundOpacity: 0.25 }}
    >
      {of && <Source of={of} />}
    </Drawer>
  );
}

function Source({ of }: { of: Citation }) {
  const words = useWords(asking);
  const org = useOrg();
  const document = useDocumentText(of.state === "gone" ? undefined : of.document_id, of.version);
  const passage = useMemo(() => ({ start: of.starts ?? 0, end: of.ends ?? 0 }), [of]);
  const content = document.data;
  const shown = useMemo(() => {
    if (!content) return undefined;
    return { blocks: blocksOf(content), marks: [placeOf(cuttable(content.text), passage, of.quote)] };
  }, [content, passage, of.quote]);

  if (of.state === "gone" || !of.document_id) return <Alert color="gray">{words.sourceGone}</Alert>;
  return (
    <Stack>
      {of.state === "changed" && (
        <Alert color="yellow" variant="light">
          {words.sourceChanged}
        </Alert>
      )}
      <Group justify="space-between">
        <Text size="sm" c="dimmed">
          {[of.page && words.page(String(of.page)), of.heading].filter(Boolean).join(" · ")}
        </Text>
        <ButtonLink
          to="/o/$org/knowledge/documents/$document"
          params={{ org: org.address, document: of.document_id }}
          variant="default"
          size="xs"
        >
          {words.openDocument}
        </ButtonLink>
      </Group>
      {document.error && <Failure error={document.error} retry={() => void document.refetch()} />}
      {document.isPending && <Loading lines={10} />}
      {content && shown && (
        <DocumentText text={content.text} blocks={shown.blocks} passage={passage} marks={shown.marks} />
      )}
    </Stack>
  );
}
