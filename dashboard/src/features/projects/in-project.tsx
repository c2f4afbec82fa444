/** Who is in a project: people, and teams. */
import { Button, Group, Menu, Modal, Stack, Title } from "@mantine/core";
import { IconEdit, IconPlus, IconUserMinus, IconUsers, IconUsersGroup } from "@tabler/icons-react";
import { type ReactNode, useState } from "react";
import { useConfirm } from "@/components/confirm";
import { type Column, DataTable } from "@/components/data-table";
import { RoleName, Who } from "@/components/facts";
import { RowMenu } from "@/components/row-menu";
import { Empty } from "@/components/states";
import type { Pages } from "@/lib/api/paging";
import { useFormat } from "@/lib/format";
import { usePeople, useRoles, useTeams } from "@/lib/roster";
import { told } from "@/lib/toast";
import { shared } from "@/lib/words/shared";
import { useWords } from "@/lib/words/words";
import { useProjectMembers } from "./api/list-project-members";
import { useProjectTeams } from "./api/list-project-teams";
import type { Project } from "./api/list-projects";
import { useRemoveProjectMember } from "./api/remove-project-member";
import { useRemoveProjectTeam } from "./api/remove-project-team";
import { ShareForm } from "./share-form";
import { projects } from "./words";

/** Somebody or some team in a project. */
interface Share {
  id: string;
  name: string;
  role: string;
  since: string;
  show: ReactNode;
}

export function PeopleInProject({ project, mayChange }: { project: Project; mayChange: boolean }) {
  const words = useWords(projects);
  const people = usePeople();
  const list = useProjectMembers(project.id);
  const remove = useRemoveProjectMember();
  return (
    <Shares
      kind="person"
      project={project}
      mayChange={mayChange}
      list={mapped(list, ({ user_id, role, created_at }) => {
        const person = people.find(user_id);
        const name = person?.name ?? user_id;
        return { id: user_id, name, role, since: created_at, show: <Who name={name} email={person?.email} /> };
      })}
      words={{ ...words.people, emptyText: project.open ? words.people.emptyOpen : words.people.emptyPrivate }}
      takeOut={(id, done) => remove.mutate({ id: project.id, user_id: id }, { onSuccess: done })}
    />
  );
}

export function TeamsInProject({ project, mayChange }: { project: Project; mayChange: boolean }) {
  const words = useWords(projects);
  const teams = useTeams();
  const list = useProjectTeams(project.id);
  const remove = useRemoveProjectTeam();
  return (
    <Shares
      kind="team"
      project={project}
      mayChange={mayChange}
      list={mapped(list, ({ team_id, role, created_at }) => {
        const name = teams.find(team_id)?.name ?? team_id;
        return { id: team_id, name, role, since: created_at, show: <bdi>{name}</bdi> };
      })}
      words={{ ...words.people, ...words.teams }}
      takeOut={(id, done) => remove.mutate({ id: project.id, team_id: id }, { onSuccess: done })}
    />
  );
}

function mapped<T>(list: Pages<T>, share: (row: T) => Share): Pages<Share> {
  return { ...list, rows: list.rows.map(share) };
}

function Shares({
  kind,
  project,
  mayChange,
  list,
  words: own,
  takeOut,
}: {
  kind: "person" | "team";
  project: Project;
  mayChange: boolean;
  list: Pages<Share>;
  words: {
    title: string;
    list: string;
    emptyTitle: string;
    emptyText: string;
    columns: { name: string; role: string; since: string };
    add: string;
    addTitle: string;
    roleTitle: (name: string) => string;
    takeOut: string;
    takeOutTitle: (name: string) => string;
    takeOutText: string;
    done: (name: string) => string;
  };
  takeOut: (id: string, done: () => void) => void;
}) {
  const words = useWords(projects);
  const common = useWords(shared);
  const format = useFormat();
  const roles = useRoles();
  const confirm = useConfirm();
  const [adding, setAdding] = useState(false);
  const [changing, setChanging] = useState<Share>();
  const ask = async ({ id, name }: Share) => {
    const meant = await confirm({ title: own.takeOutTitle(name), text: own.takeOutText, deed: own.takeOut });
    if (meant) takeOut(id, () => told(own.done(name)));
  };
  const columns: Column<Share>[] = [
    { header: own.columns.name, cell: ({ show }) => show },
    { header: own.columns.role, cell: ({ role }) => <RoleName role={role} custom={roles.nameOf(role)} /> },
    { header: own.columns.since, cell: ({ since }) => format.date(since) },
  ];
  if (mayChange) {
    columns.push({
      header: common.actions,
      kind: "actions",
      cell: (share) => (
        <RowMenu of={share.name}>
          <Menu.Item leftSection={<IconEdit size={16} aria-hidden />} onClick={() => setChanging(share)}>
            {words.changeRole}
          </Menu.Item>
          <Menu.Item color="red" leftSection={<IconUserMinus size={16} aria-hidden />} onClick={() => void ask(share)}>
            {own.takeOut}
          </Menu.Item>
        </RowMenu>
      ),
    });
  }
  const button = mayChange && (
    <Button size="xs" leftSection={<IconPlus size={15} aria-hidden />} onClick={() => setAdding(true)}>
      {own.add}
    </Button>
  );
  return (
    <Stack gap="sm" component="section" aria-label={own.title}>
      <Group justify="space-between">
        <Title order={2}>{own.title}</Title>
        {button}
      </Group>
      <DataTable
        label={own.list}
        list={list}
        columns={columns}
        rowKey={(share) => share.id}
        empty={
          <Empty icon={kind === "person" ? IconUsers : IconUsersGroup} title={own.emptyTitle} text={own.emptyText} />
        }
      />
      <Modal opened={adding} onClose={() => setAdding(false)} title={own.addTitle}>
        <ShareForm
          project={project.id}
          kind={kind}
          without={list.rows.map(({ id }) => id)}
          done={() => setAdding(false)}
        />
      </Modal>
      <Modal
        opened={changing !== undefined}
        onClose={() => setChanging(undefined)}
        title={changing && own.roleTitle(changing.name)}
      >
        {changing && (
          <ShareForm project={project.id} kind={kind} who={changing} without={[]} done={() => setChanging(undefined)} />
        )}
      </Modal>
    </Stack>
  );
}
