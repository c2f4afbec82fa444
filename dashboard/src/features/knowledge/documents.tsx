/** The documents of a collection. */
import { Badge, Group, Menu, Text } from "@mantine/core";
import { IconFileText, IconTrash } from "@tabler/icons-react";
import { useConfirm } from "@/components/confirm";
import { type Column, DataTable } from "@/components/data-table";
import { Ago } from "@/components/facts";
import { TextLink } from "@/components/links";
import { RowMenu } from "@/components/row-menu";
import { Empty } from "@/components/states";
import { useFormat } from "@/lib/format";
import { useOrg } from "@/lib/org";
import { told } from "@/lib/toast";
import { shared } from "@/lib/words/shared";
import { useWords } from "@/lib/words/words";
import { useDeleteDocument } from "./api/delete-document";
import type { Collection } from "./api/list-collections";
import { type Document, useDocuments } from "./api/list-documents";
import { DocumentState } from "./document-state";
import { kindName } from "./kind-name";
import { mayChangeAdded } from "./rights";
import { knowledge } from "./words";

export function Documents({ of }: { of: Collection }) {
  const words = useWords(knowledge);
  const org = useOrg();
  const list = useDocuments(of.id);
  return (
    <DataTable
      label={words.documents}
      list={list}
      columns={useColumns(of)}
      rowKey={(document) => document.id}
      empty={
        <Empty
          icon={IconFileText}
          title={words.noDocumentsTitle}
          text={org.can("knowledge.write", of.project_id) ? words.noDocuments : words.noDocumentsRead}
        />
      }
    />
  );
}

function useColumns(of: Collection): Column<Document>[] {
  const words = useWords(knowledge);
  const common = useWords(shared);
  const format = useFormat();
  const org = useOrg();
  return [
    {
      header: words.documentColumns.title,
      cell: (document) => (
        <>
          <TextLink
            to="/o/$org/knowledge/documents/$document"
            params={{ org: org.address, document: document.id }}
            fw={550}
            size="sm"
          >
            <bdi>{document.title || document.name}</bdi>
          </TextLink>
          <Text size="xs" c={document.error ? "red" : "dimmed"} lineClamp={2} maw={480}>
            {document.error
              ? document.error.message
              : [document.kind && kindName(words, document.kind), document.name !== document.title && document.name]
                  .filter(Boolean)
                  .join(" · ")}
          </Text>
        </>
      ),
    },
    { header: words.documentColumns.state, cell: (document) => <DocumentState of={document} /> },
    {
      header: words.documentColumns.tags,
      cell: ({ tags }) => (
        <Group gap={4}>
          {tags.map((tag) => (
            <Badge key={tag} variant="light" color="gray" tt="none" fw={500}>
              {tag}
            </Badge>
          ))}
        </Group>
      ),
    },
    { header: words.documentColumns.size, kind: "number", cell: ({ size }) => format.bytes(size) },
    { header: words.documentColumns.added, cell: ({ updated_at }) => <Ago time={updated_at} /> },
    {
      header: common.actions,
      kind: "actions",
      cell: (document) => mayChangeAdded(org, of, document.created_by) && <Actions of={document} />,
    },
  ];
}

function Actions({ of }: { of: Document }) {
  const words = useWords(knowledge);
  const confirm = useConfirm();
  const remove = useDeleteDocument();
  const name = of.title || of.name;
  const askAndDelete = async () => {
    const meant = await confirm({
      title: words.document.removeTitle(name),
      text: words.document.removeText,
      deed: words.document.remove,
    });
    if (meant) remove.mutate(of.id, { onSuccess: () => told(words.document.removed(name)) });
  };
  return (
    <RowMenu of={name} busy={remove.isPending}>
      <Menu.Item color="red" leftSection={<IconTrash size={16} aria-hidden />} onClick={() => void askAndDelete()}>
        {words.document.remove}
      </Menu.Item>
    </RowMenu>
  );
}
