import { Button, Modal, Stack, Switch, Text } from "@mantine/core";
import { IconBriefcase, IconPlus } from "@tabler/icons-react";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { type Column, DataTable } from "@/components/data-table";
import { State } from "@/components/facts";
import { TextLink } from "@/components/links";
import { Page } from "@/components/page";
import { Empty } from "@/components/states";
import { useFormat } from "@/lib/format";
import { useOrg } from "@/lib/org";
import { useWords } from "@/lib/words/words";
import { type Project, useProjectPages } from "../api/list-projects";
import { ProjectForm } from "../project-form";
import { projects } from "../words";

export function ProjectsPage() {
  const words = useWords(projects);
  const org = useOrg();
  const { create, archived } = useSearch({ from: "/o/$org/projects" });
  const navigate = useNavigate({ from: "/o/$org/projects" });
  const list = useProjectPages(archived ?? false);
  const creating = (open: boolean) =>
    void navigate({ search: (before) => ({ ...before, create: open || undefined }), replace: !open });
  const button = org.can("projects.create") && (
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
          <p>{words.helpArchive}</p>
        </>
      }
      actions={button}
    >
      <Stack gap="sm">
        <Switch
          label={words.archived}
          checked={archived ?? false}
          onChange={({ currentTarget: { checked } }) =>
            void navigate({ search: (before) => ({ ...before, archived: checked || undefined }), replace: true })
          }
        />
        <DataTable
          label={words.list}
          list={list}
          columns={useColumns()}
          rowKey={(project) => project.id}
          empty={
            archived ? (
              <Empty icon={IconBriefcase} title={words.emptyArchived} text={words.emptyArchivedText} />
            ) : (
              <Empty icon={IconBriefcase} title={words.emptyTitle} text={words.emptyText} action={button} />
            )
          }
        />
      </Stack>
      <Modal opened={create === true} onClose={() => creating(false)} title={words.form.create}>
        <ProjectForm
          mayOpen
          done={({ id }) => void navigate({ to: "/o/$org/projects/$id", params: { org: org.address, id }, search: {} })}
          cancel={() => creating(false)}
        />
      </Modal>
    </Page>
  );
}

function useColumns(): Column<Project>[] {
  const words = useWords(projects);
  const format = useFormat();
  const org = useOrg();
  return [
    {
      header: words.columns.name,
      cell: ({ id, name, description }) => (
        <div>
          <TextLink to="/o/$org/projects/$id" params={{ org: org.address, id }} fw={550} size="sm">
            <bdi>{name}</bdi>
          </TextLink>
          {description && (
            <Text size="xs" c="dimmed" lineClamp={2}>
              <bdi>{description}</bdi>
            </Text>
          )}
        </div>
      ),
    },
    { header: words.columns.access, cell: ({ open }) => (open ? words.access.open : words.access.private) },
    { header: words.columns.made, cell: ({ created_at }) => format.date(created_at) },
    {
      header: words.columns.state,
      cell: ({ archived_at }) => (
        <State color={archived_at ? "gray" : "green"}>
          {archived_at ? words.states.archived : words.states.active}
        </State>
      ),
    },
  ];
}
