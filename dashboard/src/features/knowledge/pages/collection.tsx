/** A collection: what is in it, how more comes in, and who sees it. */
import { ActionIcon, Button, Group, Menu, Modal, Tabs, Text } from "@mantine/core";
import { IconArrowLeft, IconDots, IconPencil, IconShare2, IconTrash } from "@tabler/icons-react";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { useConfirm } from "@/components/confirm";
import { TextLink } from "@/components/links";
import { Page } from "@/components/page";
import { SharePanel } from "@/components/share-panel";
import { Failure, Loading } from "@/components/states";
import { useDirectory } from "@/lib/directory";
import { useFormat } from "@/lib/format";
import { useOrg } from "@/lib/org";
import { told } from "@/lib/toast";
import { shared } from "@/lib/words/shared";
import { useWords } from "@/lib/words/words";
import { AddDocuments } from "../add-documents";
import { useChangeCollectionShare, useCollectionShares } from "../api/collection-shares";
import { useDeleteCollection } from "../api/delete-collection";
import { useCollection } from "../api/get-collection";
import type { Collection } from "../api/list-collections";
import { useCollectionSize } from "../api/size-up-collection";
import { useUpdateCollection } from "../api/update-collection";
import { EditCollectionForm } from "../collection-form";
import { Documents } from "../documents";
import { mayChange } from "../rights";
import { Sources } from "../sources";
import { UnderWay } from "../under-way";
import { useJobs } from "../use-jobs";
import { whoSees } from "../who-sees";
import { knowledge } from "../words";

export function CollectionPage() {
  const words = useWords(knowledge);
  const { collection: id } = useParams({ from: "/o/$org/knowledge/collections/$collection" });
  const collection = useCollection(id);
  if (collection.data) return <Shown key={id} of={collection.data} />;
  return (
    <Page title={words.title} help={<p>{words.help}</p>}>
      {collection.error ? (
        <Failure error={collection.error} retry={() => void collection.refetch()} />
      ) : (
        <Loading lines={8} />
      )}
    </Page>
  );
}

function Shown({ of }: { of: Collection }) {
  const words = useWords(knowledge);
  const org = useOrg();
  const jobs = useJobs(of.id);
  const { tab } = useSearch({ from: "/o/$org/knowledge/collections/$collection" });
  const navigate = useNavigate({ from: "/o/$org/knowledge/collections/$collection" });
  const writes = org.can("knowledge.write", of.project_id);
  return (
    <>
      <TextLink
        to="/o/$org/knowledge"
        params={{ org: org.address }}
        size="sm"
        display="block"
        maw={1120}
        mx="auto"
        mb={6}
      >
        <Group gap={4} component="span">
          <IconArrowLeft size={14} aria-hidden /> {words.title}
        </Group>
      </TextLink>
      <Page
        title={of.name}
        intro={<Intro of={of} />}
        help={
          <>
            <p>{words.help}</p>
            <p>{words.helpFiles}</p>
          </>
        }
        actions={mayChange(org, of) && <Actions of={of} />}
      >
        <Tabs
          value={tab ?? "documents"}
          onChange={(next) =>
            void navigate({ search: (before) => ({ ...before, tab: next === "sources" ? "sources" : undefined }) })
          }
          keepMounted={false}
        >
          <Tabs.List mb="lg">
            <Tabs.Tab value="documents">{words.documents}</Tabs.Tab>
            <Tabs.Tab value="sources">{words.sources}</Tabs.Tab>
          </Tabs.List>
          <Tabs.Panel value="documents">
            {writes && !of.within && (
              <Section>
                <AddDocuments collection={of.id} />
              </Section>
            )}
            <UnderWay collection={of.id} jobs={jobs} />
            <Documents of={of} />
          </Tabs.Panel>
          <Tabs.Panel value="sources">
            <Sources of={of} />
          </Tabs.Panel>
        </Tabs>
      </Page>
    </>
  );
}

function Section({ children }: { children: ReactNode }) {
  return <div style={{ marginBottom: "var(--mantine-spacing-lg)" }}>{children}</div>;
}

function Intro({ of }: { of: Collection }) {
  const words = useWords(knowledge);
  const format = useFormat();
  const directory = useDirectory();
  const around = useCollection(of.within ?? undefined);
  const size = useCollectionSize(of.id);
  const total =
    size.data &&
    (size.data.more
      ? words.sizeMore(format.number(size.data.documents))
      : words.size(format.number(size.data.documents), format.bytes(size.data.bytes)));
  const place = of.project_id ? (directory.nameOf(of.project_id) ?? of.project_id) : words.wholeOrg;
  return (
    <>
      {of.description && <span>{of.description} </span>}
      <Text span inherit display="block" size="xs" mt={2}>
        {[place, !of.within && words.access[of.access], total].filter(Boolean).join(" · ")}
      </Text>
      {of.within && (
        <Text span inherit display="block" size="xs" mt={2}>
          {whoSees(words.seen, of, directory.nameOf, around.data)}
        </Text>
      )}
    </>
  );
}

function Actions({ of }: { of: Collection }) {
  const words = useWords(knowledge);
  const common = useWords(shared);
  const org = useOrg();
  const confirm = useConfirm();
  const navigate = useNavigate();
  const remove = useDeleteCollection();
  const [open, setOpen] = useState<"share" | "edit">();
  const close = () => setOpen(undefined);
  const askAndDelete = async () => {
    const meant = await confirm({
      title: words.removeCollection.title(of.name),
      text: words.removeCollection.text,
      deed: words.removeCollection.deed,
      typed: of.name,
    });
    if (!meant) return;
    remove.mutate(of, {
      onSuccess: () => {
        told(words.removeCollection.done(of.name));
        void navigate({ to: "/o/$org/knowledge", params: { org: org.address } });
      },
    });
  };
  return (
    <>
      <Button variant="default" leftSection={<IconShare2 size={16} aria-hidden />} onClick={() => setOpen("share")}>
        {words.share}
      </Button>
      <Menu position="bottom-end">
        <Menu.Target>
          <ActionIcon variant="default" size={36} aria-label={common.actionsFor(of.name)} loading={remove.isPending}>
            <IconDots size={18} aria-hidden />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<IconPencil size={16} aria-hidden />} onClick={() => setOpen("edit")}>
            {words.edit}
          </Menu.Item>
          <Menu.Item color="red" leftSection={<IconTrash size={16} aria-hidden />} onClick={() => void askAndDelete()}>
            {words.remove}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <Modal opened={open === "edit"} onClose={close} title={words.form.editTitle}>
        <EditCollectionForm of={of} close={close} />
      </Modal>
      <Modal opened={open === "share"} onClose={close} title={words.shareTitle(of.name)}>
        <Sharing of={of} />
      </Modal>
    </>
  );
}

function Sharing({ of }: { of: Collection }) {
  const words = useWords(knowledge);
  const update = useUpdateCollection(of.id);
  const shares = useCollectionShares(of.id, of.access === "shared");
  const change = useChangeCollectionShare(of.id);
  return <SharePanel of={of} ends={words.ends} shares={shares} update={update} change={change} />;
}
