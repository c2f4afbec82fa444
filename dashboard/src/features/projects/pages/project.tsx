import { Alert, Badge, Button, Group, Modal, Stack } from "@mantine/core";
import { IconArchive, IconArchiveOff, IconArrowLeft, IconEdit, IconTrash } from "@tabler/icons-react";
import { useNavigate, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { useConfirm } from "@/components/confirm";
import { FailedPage } from "@/components/failed-page";
import { TextLink } from "@/components/links";
import { Page } from "@/components/page";
import { Loading } from "@/components/states";
import type { Permission } from "@/lib/api/client";
import { useOrg } from "@/lib/org";
import { useProject } from "@/lib/project";
import { told } from "@/lib/toast";
import { useWords } from "@/lib/words/words";
import { useArchiveProject } from "../api/archive-project";
import { useDeleteProject } from "../api/delete-project";
import { useProjectInFull } from "../api/get-project";
import type { Project } from "../api/list-projects";
import { useRestoreProject } from "../api/restore-project";
import { PeopleInProject, TeamsInProject } from "../in-project";
import { ProjectForm } from "../project-form";
import { projects } from "../words";

export function ProjectPage() {
  const { id } = useParams({ from: "/o/$org/projects/$id" });
  const found = useProjectInFull(id);
  if (found.error) return <FailedPage error={found.error} retry={() => void found.refetch()} />;
  if (!found.data) return <Loading lines={8} />;
  return <Shown project={found.data.value} etag={found.data.etag} />;
}

function Shown({ project, etag }: { project: Project; etag: string | undefined }) {
  const words = useWords(projects);
  const org = useOrg();
  const navigate = useNavigate();
  const chosen = useProject();
  const confirm = useConfirm();
  const archive = useArchiveProject();
  const restore = useRestoreProject();
  const remove = useDeleteProject();
  const may = (permission: Permission) => org.can(permission, project.id);
  const [editing, setEditing] = useState(false);
  const archived = project.archived_at != null;

  const askArchive = async () => {
    const { title, text, deed, done } = words.archive;
    if (!(await confirm({ title: title(project.name), text, deed }))) return;
    archive.mutate(project.id, { onSuccess: () => told(done(project.name)) });
  };
  const askDelete = async () => {
    const { title, text, deed, done } = words.remove;
    if (!(await confirm({ title: title(project.name), text, deed, typed: project.name }))) return;
    remove.mutate(
      { id: project.id, name: project.name },
      {
        onSuccess: () => {
          told(done(project.name));
          const narrowed = chosen === project.id ? undefined : chosen;
          void navigate({ to: "/o/$org/projects", params: { org: org.address }, search: { project: narrowed } });
        },
      },
    );
  };

  return (
    <>
      <TextLink to="/o/$org/projects" params={{ org: org.address }} size="sm" display="block" mb="xs">
        <Group gap={4} component="span">
          <IconArrowLeft size={14} aria-hidden />
          {words.back}
        </Group>
      </TextLink>
      <Page
        title={project.name}
        intro={project.description}
        help={
          <>
            <p>{words.help}</p>
            <p>{words.helpArchive}</p>
          </>
        }
        actions={
          <>
            {may("projects.delete") && archived && (
              <Button
                variant="light"
                color="red"
                leftSection={<IconTrash size={16} aria-hidden />}
                loading={remove.isPending}
                onClick={() => void askDelete()}
              >
                {words.remove.deed}
              </Button>
            )}
            {may("projects.update") && archived && (
              <Button
                leftSection={<IconArchiveOff size={16} aria-hidden />}
                loading={restore.isPending}
                onClick={() => restore.mutate(project.id, { onSuccess: () => told(words.restore.done(project.name)) })}
              >
                {words.restore.deed}
              </Button>
            )}
            {may("projects.update") && !archived && (
              <>
                <Button
                  variant="default"
                  leftSection={<IconArchive size={16} aria-hidden />}
                  loading={archive.isPending}
                  onClick={() => void askArchive()}
                >
                  {words.archive.deed}
                </Button>
                <Button
                  variant="default"
                  leftSection={<IconEdit size={16} aria-hidden />}
                  onClick={() => setEditing(true)}
                >
                  {words.edit}
                </Button>
              </>
            )}
          </>
        }
      >
        <Stack gap="xl">
          <Group gap="xs">
            <Badge variant="light" color="gray" tt="none" fw={550}>
              {project.open ? words.access.open : words.access.private}
            </Badge>
          </Group>
          {archived && (
            <Alert color="yellow" variant="light">
              {words.isArchived}
            </Alert>
          )}
          <PeopleInProject project={project} mayChange={may("projects.members") && !archived} />
          <TeamsInProject project={project} mayChange={may("projects.members") && !archived} />
        </Stack>
        <Modal opened={editing} onClose={() => setEditing(false)} title={words.form.edit}>
          <ProjectForm
            of={project}
            etag={etag}
            mayOpen={may("projects.members")}
            done={() => setEditing(false)}
            cancel={() => setEditing(false)}
          />
        </Modal>
      </Page>
    </>
  );
}
