/** The ways into a collection: files by drop or by choice, pasted text, a page of the web. */
import { Button, FileButton, Group, Modal, Stack, TagsInput, Text, Textarea, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { IconClipboardText, IconUpload, IconWorld } from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { FormEnd } from "@/components/form";
import { useDraft } from "@/lib/drafts";
import { useSending } from "@/lib/forms";
import { useOrg } from "@/lib/org";
import { shared } from "@/lib/words/shared";
import { useWords } from "@/lib/words/words";
import { useAddText } from "./api/add-text";
import { useAddWebPage } from "./api/add-web-page";
import { documentsKey } from "./api/list-documents";
import { droppedFiles } from "./dropped-files";
import styles from "./knowledge.module.css";
import { upload } from "./uploads";
import { knowledge } from "./words";

export function AddDocuments({ collection }: { collection: string }) {
  const words = useWords(knowledge);
  const org = useOrg();
  const queries = useQueryClient();
  const [open, setOpen] = useState<"text" | "web">();
  const close = () => setOpen(undefined);
  const send = (files: readonly File[]) =>
    upload(org, collection, files, () => void queries.invalidateQueries({ queryKey: documentsKey(org) }));
  const over = useDrop((files) => send(files));
  return (
    <>
      <div className={`${styles.drop} ${over ? styles.over : ""}`}>
        <IconUpload size={24} stroke={1.6} aria-hidden />
        <div style={{ flex: "1 1 200px" }}>
          <Text fw={600} size="sm">
            {words.drop}
          </Text>
          <Text size="xs" c="dimmed">
            {words.dropText}
          </Text>
        </div>
        <Group gap="xs">
          <FileButton multiple onChange={send}>
            {(props) => (
              <Button size="xs" {...props}>
                {words.choose}
              </Button>
            )}
          </FileButton>
          <Button
            size="xs"
            variant="default"
            leftSection={<IconClipboardText size={14} aria-hidden />}
            onClick={() => setOpen("text")}
          >
            {words.paste}
          </Button>
          <Button
            size="xs"
            variant="default"
            leftSection={<IconWorld size={14} aria-hidden />}
            onClick={() => setOpen("web")}
          >
            {words.web}
          </Button>
        </Group>
      </div>
      <Modal opened={open === "text"} onClose={close} title={words.pasteForm.title} size="lg">
        <PasteForm collection={collection} close={close} />
      </Modal>
      <Modal opened={open === "web"} onClose={close} title={words.webForm.title}>
        <WebForm collection={collection} close={close} />
      </Modal>
    </>
  );
}

/** Files may be dropped anywhere on the page; whether some are held above it. */
function useDrop(take: (files: File[]) => void): boolean {
  const [over, setOver] = useState(false);
  const latest = useRef(take);
  latest.current = take;
  useEffect(() => {
    let depth = 0;
    const holds = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;
    const enter = (event: DragEvent) => {
      if (!holds(event)) return;
      depth += 1;
      setOver(true);
    };
    const leave = (event: DragEvent) => {
      if (!holds(event)) return;
      depth = Math.max(0, depth - 1);
      setOver(depth > 0);
    };
    // Without this the browser would open the file in the place of the page.
    const hold = (event: DragEvent) => {
      if (holds(event)) event.preventDefault();
    };
    const drop = (event: DragEvent) => {
      if (!holds(event) || !event.dataTransfer) return;
      event.preventDefault();
      depth = 0;
      setOver(false);
      void droppedFiles(event.dataTransfer).then((files) => latest.current(files));
    };
    window.addEventListener("dragenter", enter);
    window.addEventListener("dragleave", leave);
    window.addEventListener("dragover", hold);
    window.addEventListener("drop", drop);
    return () => {
      window.removeEventListener("dragenter", enter);
      window.removeEventListener("dragleave", leave);
      window.removeEventListener("dragover", hold);
      window.removeEventListener("drop", drop);
    };
  }, []);
  return over;
}

function PasteForm({ collection, close }: { collection: string; close: () => void }) {
  const words = useWords(knowledge);
  const common = useWords(shared);
  const add = useAddText(collection);
  const form = useForm({
    initialValues: { title: "", text: "", tags: [] as string[] },
    validate: {
      title: (value) => (value.trim() ? null : common.errors.required),
      text: (value) => (value.trim() ? null : common.errors.required),
    },
  });
  const draft = useDraft(form, "paste");
  const sending = useSending(
    form,
    ({ title, text, tags }) => add.mutateAsync({ title: title.trim(), text, tags }),
    () => {
      draft.forget();
      close();
    },
  );
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
        <Textarea
          label={words.pasteForm.text}
          description={words.pasteForm.tooLong}
          required
          autosize
          minRows={6}
          maxRows={16}
          {...form.getInputProps("text")}
        />
        <TagsInput
          label={`${words.pasteForm.tags} (${common.optional})`}
          description={words.document.tagsHint}
          {...form.getInputProps("tags")}
        />
        <FormEnd sending={sending} draft={draft} deed={words.pasteForm.deed} onCancel={draft.ending(close)} />
      </Stack>
    </form>
  );
}

function WebForm({ collection, close }: { collection: string; close: () => void }) {
  const words = useWords(knowledge);
  const common = useWords(shared);
  const add = useAddWebPage(collection);
  const form = useForm({
    initialValues: { url: "", title: "" },
    validate: { url: (value) => (value.trim() ? null : common.errors.required) },
  });
  const sending = useSending(
    form,
    ({ url, title }) => add.mutateAsync({ url: url.trim(), ...(title.trim() ? { title: title.trim() } : {}) }),
    close,
  );
  return (
    <form onSubmit={sending.submit} noValidate>
      <Stack>
        <TextInput
          type="url"
          label={words.webForm.url}
          description={words.webForm.urlHint}
          placeholder="https://"
          required
          data-autofocus
          {...form.getInputProps("url")}
        />
        <TextInput
          label={`${words.webForm.name} (${common.optional})`}
          description={words.webForm.nameHint}
          maxLength={300}
          {...form.getInputProps("title")}
        />
        <FormEnd sending={sending} deed={words.webForm.deed} onCancel={close} />
      </Stack>
    </form>
  );
}
