import { Badge, Drawer, Group, Modal } from "@mantine/core";
import { IconUserPlus, IconUsers } from "@tabler/icons-react";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { type Column, DataTable } from "@/components/data-table";
import { Ago, RoleName, State, Who } from "@/components/facts";
import { ButtonLink } from "@/components/links";
import { Page } from "@/components/page";
import { Empty } from "@/components/states";
import { useFormat } from "@/lib/format";
import { useOrg } from "@/lib/org";
import { useRoles } from "@/lib/roster";
import { shared } from "@/lib/words/shared";
import { useWords } from "@/lib/words/words";
import { type Member, useMembers } from "../api/list-members";
import { ChangeRoleForm } from "../change-role-form";
import { MemberActions } from "../member-actions";
import { MemberInFull } from "../member-in-full";
import { members } from "../words";

export function MembersPage() {
  const words = useWords(members);
  const org = useOrg();
  const list = useMembers();
  const { member } = useSearch({ from: "/o/$org/members" });
  const navigate = useNavigate({ from: "/o/$org/members" });
  const [changing, setChanging] = useState<Member>();
  const show = (id: string | undefined) =>
    void navigate({ search: (before) => ({ ...before, member: id }), replace: id === undefined });
  const invite = org.can("invitations.create") && (
    <ButtonLink
      to="/o/$org/invitations"
      params={{ org: org.address }}
      search={{ invite: true }}
      leftSection={<IconUserPlus size={16} aria-hidden />}
    >
      {words.invite}
    </ButtonLink>
  );
  return (
    <Page
      title={words.title}
      intro={words.intro}
      help={
        <>
          <p>{words.help}</p>
          <p>{words.helpEnd}</p>
        </>
      }
      actions={
        <>
          {org.can("invitations.read") && (
            <ButtonLink to="/o/$org/invitations" params={{ org: org.address }} variant="default">
              {words.invitations}
            </ButtonLink>
          )}
          {invite}
        </>
      }
    >
      <DataTable
        label={words.list}
        list={list}
        columns={useColumns(show, setChanging)}
        rowKey={(member) => member.user_id}
        empty={<Empty icon={IconUsers} title={words.emptyTitle} text={words.emptyText} action={invite} />}
      />
      <Modal
        opened={changing !== undefined}
        onClose={() => setChanging(undefined)}
        title={changing && words.change.title(changing.name)}
      >
        {changing && <ChangeRoleForm of={changing} close={() => setChanging(undefined)} />}
      </Modal>
      <Drawer
        opened={member !== undefined}
        onClose={() => show(undefined)}
        position="right"
        title={words.details}
        padding="lg"
      >
        {member !== undefined && <MemberInFull id={member} />}
      </Drawer>
    </Page>
  );
}

function useColumns(show: (id: string) => void, changeRole: (member: Member) => void): Column<Member>[] {
  const words = useWords(members);
  const common = useWords(shared);
  const format = useFormat();
  const org = useOrg();
  const roles = useRoles();
  const columns: Column<Member>[] = [
    {
      header: words.columns.name,
      cell: (member) => (
        <Group gap="xs" wrap="nowrap">
          <Who name={member.name} email={member.email} />
          {member.user_id === org.person.id && (
            <Badge size="sm" variant="default" tt="none">
              {words.you}
            </Badge>
          )}
        </Group>
      ),
    },
    {
      header: words.columns.role,
      cell: (member) => <RoleName role={member.role} custom={roles.nameOf(member.role)} />,
    },
    { header: words.columns.joined, cell: (member) => format.date(member.joined_at) },
  ];
  // Others do not get to know it.
  if (org.can("members.activity")) {
    columns.push({ header: words.columns.seen, cell: (member) => <Ago time={member.last_seen_at} /> });
  }
  columns.push(
    {
      header: words.columns.state,
      cell: ({ standing }) => (
        <State color={standing === "active" ? "green" : "yellow"}>{words.states[standing]}</State>
      ),
    },
    {
      header: common.actions,
      kind: "actions",
      cell: (member) => <MemberActions of={member} show={show} changeRole={changeRole} />,
    },
  );
  return columns;
}
