import { Button, Group, Modal, Text } from "@mantine/core";
import { IconBooks, IconPlus } from "@tabler/icons-react";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { type Column, DataTable } from "@/components/data-table";
import { Ago } from "@/components/facts";
import { TextLink } from "@/components/links";
import { Page } from "@/components/page";
import { Empty } from "@/components/states";
import { useDirectory } from "@/lib/directory";
import { useOrg } from "@/lib/org";
import { useProject } from "@/lib/project";
import { useWords } from "@/lib/words/words";
import { type Collection, useCollections } from "../api/list-collections";
import { CreateCollectionForm } from "../collection-form";
import { KnowledgeTabs } from "../tabs";
import { knowledge } from "../words";

export function CollectionsPage() {
  const words = useWords(knowledge);
  const org = useOrg();
  const project = useProject();
  const list = useCollections(project);
  const { create } = useSearch({ from: "/o/$org/knowledge" });
  const navigate = useNavigate({ from: "/o/$org/knowledge" });
  const creating = (open: boolean) =>
    void navigate({ search: (before) => ({ ...before, create: open || undefined }), replace: !open });
  const writes = project ? org.can("knowledge.write", project) : org.canSomewhere("knowledge.write");
  const button = writes && (
    <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => creating(true)}>
      {words.create}
    </Button>
  );
  return (
    <Page
      title={words.title}
      intro={words.intro}
      help={
        <>
          <p>{words.help}</p>
          <p>{words.helpFiles}</p>
        </>
      }
      actions={button}
    >
      <KnowledgeTabs at="collections" />
      <DataTable
        label={words.list}
        list={list}
        columns={useColumns()}
        rowKey={(collection) => collection.id}
        empty={
          <Empty
            icon={IconBooks}
            title={words.emptyTitle}
            text={writes ? words.emptyText : words.emptyRead}
            action={button}
          />
        }
      />
      <Modal opened={create === true} onClose={() => creating(false)} title={words.form.createTitle} size="lg">
        <CreateCollectionForm
          done={({ id }) =>
            void navigate({
              to: "/o/$org/knowledge/collections/$collection",
              params: { org: org.address, collection: id },
            })
          }
          cancel={() => creating(false)}
        />
      </Modal>
    </Page>
  );
}

function useColumns(): Column<Collection>[] {
  const words = useWords(knowledge);
  const org = useOrg();
  const directory = useDirectory();
  return [
    {
      header: words.columns.name,
      cell: (collection) => (
        <>
          <Group gap={8}>
            <TextLink
              to="/o/$org/knowledge/collections/$collection"
              params={{ org: org.address, collection: collection.id }}
              fw={550}
              size="sm"
            >
              <bdi>{collection.name}</bdi>
            </TextLink>
          </Group>
          {collection.description && (
            <Text size="xs" c="dimmed" lineClamp={2} maw={460}>
              {collection.description}
            </Text>
          )}
        </>
      ),
    },
    {
      header: words.columns.project,
      cell: ({ project_id }) => (project_id ? (directory.nameOf(project_id) ?? project_id) : words.wholeOrg),
    },
    { header: words.columns.access, cell: ({ access }) => words.access[access] },
    {
      header: words.columns.by,
      cell: ({ created_by }) => <bdi>{directory.nameOf(created_by) ?? words.unknownPerson}</bdi>,
    },
    { header: words.columns.created, cell: ({ created_at }) => <Ago time={created_at} /> },
  ];
}
