import { Badge, Group } from "@mantine/core";
import { IconUsers } from "@tabler/icons-react";
import { type Column, DataTable } from "@/components/data-table";
import { Ago, RoleName, State, Who } from "@/components/facts";
import { Page } from "@/components/page";
import { Empty } from "@/components/states";
import { useFormat } from "@/lib/format";
import { useOrg } from "@/lib/org";
import { useWords } from "@/lib/words/words";
import { type Member, useMembers } from "../api/list-members";
import { members } from "../words";

export function MembersPage() {
  const words = useWords(members);
  const list = useMembers();
  return (
    <Page title={words.title} intro={words.intro} help={<p>{words.help}</p>}>
      <DataTable
        label={words.list}
        list={list}
        columns={useColumns()}
        rowKey={(member) => member.user_id}
        empty={<Empty icon={IconUsers} title={words.emptyTitle} text={words.emptyText} />}
      />
    </Page>
  );
}

function useColumns(): Column<Member>[] {
  const words = useWords(members);
  const format = useFormat();
  const org = useOrg();
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
    { header: words.columns.role, cell: (member) => <RoleName role={member.role} /> },
    { header: words.columns.joined, cell: (member) => format.date(member.joined_at) },
  ];
  // Others do not get to know it.
  if (org.can("members.activity")) {
    columns.push({ header: words.columns.seen, cell: (member) => <Ago time={member.last_seen_at} /> });
  }
  columns.push({
    header: words.columns.state,
    cell: ({ standing }) => <State color={standing === "active" ? "green" : "yellow"}>{words.states[standing]}</State>,
  });
  return columns;
}
