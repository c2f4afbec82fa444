/** What can be done with a conversation. */
import { ActionIcon, Button, Group, Menu, Modal, Stack, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { IconDots, IconDownload, IconPencil, IconShare2, IconTrash } from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useConfirm } from "@/components/confirm";
import { FormEnd } from "@/components/form";
import { SharePanel } from "@/components/share-panel";
import { useSending } from "@/lib/forms";
import { useOrg } from "@/lib/org";
import { saveFile } from "@/lib/save-file";
import { told } from "@/lib/toast";
import { shared } from "@/lib/words/shared";
import { useWords } from "@/lib/words/words";
import { useDeleteThread } from "./api/delete-thread";
import { useExportThread } from "./api/export-thread";
import type { Thread } from "./api/list-threads";
import { useChangeThreadShare, useThreadShares } from "./api/thread-shares";
import { useUpdateThread } from "./api/update-thread";
import { asking } from "./words";

export function ThreadMenu({ of }: { of: Thread }) {
  const words = useWords(asking);
  const common = useWords(shared);
  const org = useOrg();
  const navigate = useNavigate();
  const confirm = useConfirm();
  const remove = useDeleteThread();
  const save = useExportThread();
  const [open, setOpen] = useState<"share" | "rename">();
  const mine = of.created_by === org.person.id;
  const close = () => setOpen(undefined);
  const name = of.title || words.untitled;

  const askAndDelete = async () => {
    if (!(await confirm({ title: words.remove.title, text: words.remove.text, deed: words.remove.deed }))) return;
    remove.mutate(of.id, {
      onSuccess: () => {
        told(words.remove.done);
        void navigate({ to: "/o/$org/ask", params: { org: org.address } });
      },
    });
  };
  return (
    <Group gap="xs" wrap="nowrap">
      {mine && (
        <Button
          size="xs"
          variant="default"
          leftSection={<IconShare2 size={14} aria-hidden />}
          onClick={() => setOpen("share")}
        >
          {of.access === "private" ? words.share : words.sharedState[of.access]}
        </Button>
      )}
      <Menu position="bottom-end">
        <Menu.Target>
          <ActionIcon
            variant="default"
            size={30}
            aria-label={common.actionsFor(name)}
            loading={remove.isPending || save.isPending}
          >
            <IconDots size={16} aria-hidden />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          {mine && (
            <Menu.Item leftSection={<IconPencil size={16} aria-hidden />} onClick={() => setOpen("rename")}>
              {words.rename.deed}
            </Menu.Item>
          )}
          <Menu.Item
            leftSection={<IconDownload size={16} aria-hidden />}
            onClick={() => save.mutate(of.id, { onSuccess: (file) => saveFile(file, `${name.slice(0, 60)}.md`) })}
          >
            {words.export}
          </Menu.Item>
          {mine && (
            <Menu.Item
              color="red"
              leftSection={<IconTrash size={16} aria-hidden />}
              onClick={() => void askAndDelete()}
            >
              {words.remove.deed}
            </Menu.Item>
          )}
        </Menu.Dropdown>
      </Menu>
      <Modal opened={open === "rename"} onClose={close} title={words.rename.title}>
        <RenameForm of={of} close={close} />
      </Modal>
      <Modal opened={open === "share"} onClose={close} title={words.shareTitle}>
        <Sharing of={of} />
      </Modal>
    </Group>
  );
}

function RenameForm({ of, close }: { of: Thread; close: () => void }) {
  const words = useWords(asking);
  const common = useWords(shared);
  const update = useUpdateThread(of.id);
  const form = useForm({
    initialValues: { title: of.title },
    validate: { title: (value) => (value.trim() ? null : common.errors.required) },
  });
  const sending = useSending(form, ({ title }) => update.mutateAsync({ title: title.trim() }), close);
  return (
    <form onSubmit={sending.submit} noValidate>
      <Stack>
        <TextInput
          label={words.rename.label}
          maxLength={200}
          data-autofocus
          required
          {...form.getInputProps("title")}
        />
        <FormEnd sending={sending} deed={common.save} onCancel={close} />
      </Stack>
    </form>
  );
}

function Sharing({ of }: { of: Thread }) {
  const words = useWords(asking);
  const update = useUpdateThread(of.id);
  const shares = useThreadShares(of.id, of.access === "shared");
  const change = useChangeThreadShare(of.id);
  return <SharePanel of={of} ends={words.ends} shares={shares} update={update} change={change} />;
}
