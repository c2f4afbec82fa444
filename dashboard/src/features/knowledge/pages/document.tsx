/** A document: what was read from it, its passages and versions. */
import { Alert, Badge, Button, FileButton, Group, Modal, Stack, Tabs, TagsInput, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { IconArrowLeft, IconDownload, IconPencil, IconTrash, IconUpload } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { useConfirm } from "@/components/confirm";
import { FormEnd } from "@/components/form";
import { TextLink } from "@/components/links";
import { Page } from "@/components/page";
import { Failure, Loading } from "@/components/states";
import { useDirectory } from "@/lib/directory";
import { useFormat } from "@/lib/format";
import { useSending } from "@/lib/forms";
import { useOrg } from "@/lib/org";
import { saveFile } from "@/lib/save-file";
import { told } from "@/lib/toast";
import { shared } from "@/lib/words/shared";
import { useWords } from "@/lib/words/words";
import { useDeleteDocument } from "../api/delete-document";
import { useDownloadOriginal } from "../api/download-original";
import { useCollection } from "../api/get-collection";
import { useDocument } from "../api/get-document";
import type { Collection } from "../api/list-collections";
import { type Document, documentsKey } from "../api/list-documents";
import { replaceFile } from "../api/send-file";
import { useUpdateDocument } from "../api/update-document";
import { DocumentState } from "../document-state";
import { kindName, originName } from "../kind-name";
import { Passages } from "../passages";
import { ReadText } from "../read-text";
import { mayChangeAdded } from "../rights";
import { Versions } from "../versions";
import { whoSees } from "../who-sees";
import { knowledge } from "../words";

const PARTS = ["text", "passages", "versions"] as const;
type Part = (typeof PARTS)[number];

export function DocumentPage() {
  const words = useWords(knowledge);
  const { document: id } = useParams({ from: "/o/$org/knowledge/documents/$document" });
  const document = useDocument(id);
  if (document.data) return <Shown key={id} of={document.data} />;
  return (
    <Page title={words.title} help={<p>{words.document.help}</p>}>
      {document.error ? (
        <Failure error={document.error} retry={() => void document.refetch()} />
      ) : (
        <Loading lines={12} />
      )}
    </Page>
  );
}

function Shown({ of }: { of: Document }) {
  const words = useWords(knowledge);
  const org = useOrg();
  const collection = useCollection(of.collection_id);
  const { tab } = useSearch({ from: "/o/$org/knowledge/documents/$document" });
  const navigate = useNavigate({ from: "/o/$org/knowledge/documents/$document" });
  return (
    <>
      <TextLink
        to="/o/$org/knowledge/collections/$collection"
        params={{ org: org.address, collection: of.collection_id }}
        size="sm"
        display="block"
        maw={920}
        mx="auto"
        mb={6}
      >
        <Group gap={4} component="span">
          <IconArrowLeft size={14} aria-hidden /> <bdi>{collection.data?.name ?? words.document.back}</bdi>
        </Group>
      </TextLink>
      <Page
        title={of.title || of.name}
        width={920}
        intro={<Facts of={of} in={collection.data} />}
        help={<p>{words.document.help}</p>}
        actions={
          <Actions of={of} may={collection.data !== undefined && mayChangeAdded(org, collection.data, of.created_by)} />
        }
      >
        {of.error && (
          <Alert color="red" variant="light" title={words.document.failed} mb="lg">
            {of.error.message} {of.version > 1 && words.document.olderShown}
          </Alert>
        )}
        <Tabs
          value={tab ?? "text"}
          onChange={(next) =>
            void navigate({ search: ({ version }) => ({ version, tab: next === "text" ? undefined : (next as Part) }) })
          }
          keepMounted={false}
        >
          <Tabs.List mb="lg" aria-label={words.document.parts}>
            {PARTS.map((part) => (
              <Tabs.Tab key={part} value={part}>
                {words.document[part]}
              </Tabs.Tab>
            ))}
          </Tabs.List>
          <Tabs.Panel value="text">
            <ReadText of={of} />
          </Tabs.Panel>
          <Tabs.Panel value="passages">
            <Passages of={of} />
          </Tabs.Panel>
          <Tabs.Panel value="versions">
            <Versions of={of} />
          </Tabs.Panel>
        </Tabs>
      </Page>
    </>
  );
}

function Facts({ of, in: collection }: { of: Document; in: Collection | undefined }) {
  const words = useWords(knowledge);
  const format = useFormat();
  const directory = useDirectory();
  const around = useCollection(collection?.within ?? undefined);
  const facts = [
    of.kind && kindName(words, of.kind),
    format.bytes(of.size),
    originName(words, of.source),
    words.document.version(String(of.version)),
    words.document.addedBy(directory.nameOf(of.created_by) ?? words.unknownPerson),
    format.dateTime(of.created_at),
  ];
  return (
    <Stack gap={6} mt={2}>
      <Text span inherit size="xs">
        {facts.filter(Boolean).join(" · ")}
      </Text>
      {collection && (
        <Text span inherit size="xs">
          {whoSees(words.seen, collection, directory.nameOf, around.data)}
        </Text>
      )}
      <Group gap={6}>
        <DocumentState of={of} />
        {of.tags.map((tag) => (
          <Badge key={tag} variant="light" color="gray" tt="none" fw={500}>
            {tag}
          </Badge>
        ))}
      </Group>
    </Stack>
  );
}

function Actions({ of, may }: { of: Document; may: boolean }) {
  const words = useWords(knowledge);
  const org = useOrg();
  const confirm = useConfirm();
  const navigate = useNavigate();
  const queries = useQueryClient();
  const remove = useDeleteDocument();
  const original = useDownloadOriginal(of.id);
  const replace = useMutation({
    mutationFn: (file: File) => replaceFile(org, of.id, file),
    onSuccess: () => {
      told(words.document.replaced);
      return queries.invalidateQueries({ queryKey: documentsKey(org) });
    },
  });
  const [editing, setEditing] = useState(false);
  const name = of.title || of.name;
  const askAndDelete = async () => {
    const meant = await confirm({
      title: words.document.removeTitle(name),
      text: words.document.removeText,
      deed: words.document.remove,
    });
    if (!meant) return;
    remove.mutate(of.id, {
      onSuccess: () => {
        told(words.document.removed(name));
        void navigate({
          to: "/o/$org/knowledge/collections/$collection",
          params: { org: org.address, collection: of.collection_id },
        });
      },
    });
  };
  return (
    <Group gap="xs">
      <Button
        size="xs"
        variant="default"
        leftSection={<IconDownload size={14} aria-hidden />}
        loading={original.isPending}
        onClick={() => original.mutate(of.version, { onSuccess: (file) => saveFile(file, of.name) })}
      >
        {words.document.download}
      </Button>
      {may && (
        <>
          <FileButton onChange={(file) => file && replace.mutate(file)}>
            {(props) => (
              <Button
                {...props}
                size="xs"
                variant="default"
                leftSection={<IconUpload size={14} aria-hidden />}
                loading={replace.isPending}
              >
                {words.document.replace}
              </Button>
            )}
          </FileButton>
          <Button
            size="xs"
            variant="default"
            leftSection={<IconPencil size={14} aria-hidden />}
            onClick={() => setEditing(true)}
          >
            {words.document.edit}
          </Button>
          <Button
            size="xs"
            variant="default"
            c="red"
            leftSection={<IconTrash size={14} aria-hidden />}
            loading={remove.isPending}
            onClick={() => void askAndDelete()}
          >
            {words.document.remove}
          </Button>
        </>
      )}
      <Modal opened={editing} onClose={() => setEditing(false)} title={words.document.editTitle}>
        <EditForm of={of} close={() => setEditing(false)} />
      </Modal>
    </Group>
  );
}

function EditForm({ of, close }: { of: Document; close: () => void }) {
  const words = useWords(knowledge);
  const common = useWords(shared);
  const update = useUpdateDocument(of.id);
  const form = useForm({
    initialValues: { title: of.title || of.name, tags: of.tags },
    validate: { title: (value) => (value.trim() ? null : common.errors.required) },
  });
  const sending = useSending(form, ({ title, tags }) => update.mutateAsync({ title: title.trim(), tags }), close);
  return (
    <form onSubmit={sending.submit} noValidate>
      <Stack>
        <TextInput
          label={words.pasteForm.name}
          maxLength={300}
          required
          data-autofocus
          {...form.getInputProps("title")}
        />
        <TagsInput label={words.document.tags} description={words.document.tagsHint} {...form.getInputProps("tags")} />
        <FormEnd sending={sending} deed={common.save} onCancel={close} />
      </Stack>
    </form>
  );
}
