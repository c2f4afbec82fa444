import { ActionIcon, Button, Group, Menu, Modal, Stack, Title, Tooltip } from "@mantine/core";
import { IconDots, IconEdit, IconPlus, IconTrash, IconUserMinus, IconUserPlus, IconUsers } from "@tabler/icons-react";
import { useState } from "react";
import { useConfirm } from "@/components/confirm";
import { type Column, DataTable } from "@/components/data-table";
import { RoleName, Who } from "@/components/facts";
import { RowMenu } from "@/components/row-menu";
import { Empty } from "@/components/states";
import type { Permission } from "@/lib/api/client";
import { useFormat } from "@/lib/format";
import { useOrg } from "@/lib/org";
import { usePeople, useRoles } from "@/lib/roster";
import { told } from "@/lib/toast";
import { shared } from "@/lib/words/shared";
import { useWords } from "@/lib/words/words";
import { useDeleteTeam } from "./api/delete-team";
import { type TeamMember, useTeamMembers } from "./api/list-team-members";
import { useRemoveTeamMember } from "./api/remove-team-member";
import { PersonForm } from "./person-form";
import { TeamForm } from "./team-form";
import type { Team } from "./tree";
import { teams } from "./words";

type Doing = { what: "add" } | { what: "edit" } | { what: "below" } | { what: "role"; of: TeamMember };

/** A team: who is in it, and what can be done about it. */
export function TeamPanel({
  team,
  hasBelow,
  show,
}: {
  team: Team;
  hasBelow: boolean;
  show: (team: string | undefined) => void;
}) {
  const words = useWords(teams);
  const common = useWords(shared);
  const people = usePeople();
  const list = useTeamMembers(team.id);
  const org = useOrg();
  const may = (permission: Permission) => org.can(permission, team.id);
  const confirm = useConfirm();
  const remove = useDeleteTeam();
  const [doing, setDoing] = useState<Doing>();
  const stop = () => setDoing(undefined);
  const nameOf = (id: string) => people.find(id)?.name ?? id;

  const end = async () => {
    const { title, text, deed, done } = words.remove;
    if (!(await confirm({ title: title(team.name), text, deed }))) return;
    remove.mutate(team.id, {
      onSuccess: () => {
        told(done(team.name));
        show(team.parent_id ?? undefined);
      },
    });
  };
  const add = may("teams.members") && (
    <Button size="xs" leftSection={<IconUserPlus size={15} aria-hidden />} onClick={() => setDoing({ what: "add" })}>
      {words.add.deed}
    </Button>
  );
  const more = may("teams.update") || may("teams.create") || may("teams.delete");
  return (
    <Stack gap="sm">
      <Group justify="space-between">
        <Title order={2} style={{ overflowWrap: "anywhere" }}>
          <bdi>{team.name}</bdi>
        </Title>
        <Group gap="xs">
          {add}
          {more && (
            <Menu position="bottom-end">
              <Menu.Target>
                <ActionIcon variant="default" size={30} aria-label={common.actionsFor(team.name)}>
                  <IconDots size={16} aria-hidden />
                </ActionIcon>
              </Menu.Target>
              <Menu.Dropdown>
                {may("teams.update") && (
                  <Menu.Item
                    leftSection={<IconEdit size={16} aria-hidden />}
                    onClick={() => setDoing({ what: "edit" })}
                  >
                    {words.edit}
                  </Menu.Item>
                )}
                {may("teams.create") && (
                  <Menu.Item
                    leftSection={<IconPlus size={16} aria-hidden />}
                    onClick={() => setDoing({ what: "below" })}
                  >
                    {words.below}
                  </Menu.Item>
                )}
                {may("teams.delete") && (
                  <Tooltip label={words.remove.hasBelow} disabled={!hasBelow}>
                    <Menu.Item
                      color="red"
                      disabled={hasBelow}
                      leftSection={<IconTrash size={16} aria-hidden />}
                      onClick={() => void end()}
                    >
                      {words.remove.deed}
                    </Menu.Item>
                  </Tooltip>
                )}
              </Menu.Dropdown>
            </Menu>
          )}
        </Group>
      </Group>
      <DataTable
        label={words.people(team.name)}
        list={list}
        columns={useColumns(team, may("teams.members"), (of) => setDoing({ what: "role", of }))}
        rowKey={(member) => member.user_id}
        empty={<Empty icon={IconUsers} title={words.nobodyTitle} text={words.nobodyText} action={add} />}
      />
      <Modal opened={doing?.what === "add"} onClose={stop} title={words.add.title(team.name)}>
        <PersonForm
          team={team}
          without={list.rows.map(({ user_id }) => user_id)}
          done={(user) => {
            stop();
            told(words.add.done(nameOf(user)));
          }}
          cancel={stop}
        />
      </Modal>
      <Modal
        opened={doing?.what === "role"}
        onClose={stop}
        title={doing?.what === "role" && words.role.title(nameOf(doing.of.user_id))}
      >
        {doing?.what === "role" && <PersonForm team={team} of={doing.of} without={[]} done={stop} cancel={stop} />}
      </Modal>
      <Modal opened={doing?.what === "edit"} onClose={stop} title={words.form.edit(team.name)}>
        <TeamForm of={team} done={stop} cancel={stop} />
      </Modal>
      <Modal opened={doing?.what === "below"} onClose={stop} title={words.form.create}>
        <TeamForm
          parent={team.id}
          done={({ id }) => {
            stop();
            show(id);
          }}
          cancel={stop}
        />
      </Modal>
    </Stack>
  );
}

function useColumns(team: Team, mayChange: boolean, changeRole: (of: TeamMember) => void): Column<TeamMember>[] {
  const words = useWords(teams);
  const common = useWords(shared);
  const format = useFormat();
  const people = usePeople();
  const roles = useRoles();
  const columns: Column<TeamMember>[] = [
    {
      header: words.columns.name,
      cell: ({ user_id }) => {
        const person = people.find(user_id);
        return <Who name={person?.name ?? user_id} email={person?.email} />;
      },
    },
    { header: words.columns.role, cell: ({ role }) => <RoleName role={role} custom={roles.nameOf(role)} /> },
    { header: words.columns.since, cell: ({ created_at }) => format.date(created_at) },
  ];
  if (mayChange) {
    columns.push({
      header: common.actions,
      kind: "actions",
      cell: (member) => (
        <PersonActions
          team={team}
          of={member}
          name={people.find(member.user_id)?.name ?? member.user_id}
          changeRole={changeRole}
        />
      ),
    });
  }
  return columns;
}

function PersonActions({
  team,
  of,
  name,
  changeRole,
}: {
  team: Team;
  of: TeamMember;
  name: string;
  changeRole: (of: TeamMember) => void;
}) {
  const words = useWords(teams);
  const confirm = useConfirm();
  const remove = useRemoveTeamMember();
  const takeOut = async () => {
    const { title, text, deed, done } = words.takeOut;
    if (!(await confirm({ title: title(name, team.name), text, deed }))) return;
    remove.mutate({ id: team.id, user_id: of.user_id }, { onSuccess: () => told(done(name)) });
  };
  return (
    <RowMenu of={name} busy={remove.isPending}>
      <Menu.Item leftSection={<IconEdit size={16} aria-hidden />} onClick={() => changeRole(of)}>
        {words.role.deed}
      </Menu.Item>
      <Menu.Item color="red" leftSection={<IconUserMinus size={16} aria-hidden />} onClick={() => void takeOut()}>
        {words.takeOut.deed}
      </Menu.Item>
    </RowMenu>
  );
}
