import { Group, List, Stack, Text, Title } from "@mantine/core";
import { RoleName, Who } from "@/components/facts";
import { TextLink } from "@/components/links";
import { Failure, Loading } from "@/components/states";
import { useOrg } from "@/lib/org";
import { useProjects, useRoles, useTeams } from "@/lib/roster";
import { PERMISSIONS, permissionWords } from "@/lib/words/permissions";
import { useWords } from "@/lib/words/words";
import { useMember } from "./api/get-member";
import { members } from "./words";

/** All that a member holds. */
export function MemberInFull({ id }: { id: string }) {
  const words = useWords(members);
  const org = useOrg();
  const member = useMember(id);
  const may = useWords(permissionWords);
  const roles = useRoles();
  const teams = useTeams();
  const projects = useProjects();
  if (member.error) return <Failure error={member.error} retry={() => void member.refetch()} />;
  if (!member.data) return <Loading lines={8} />;
  const held = new Set(member.data.permissions);
  return (
    <Stack gap="lg">
      <Group justify="space-between">
        <Who name={member.data.name} email={member.data.email} />
        <RoleName role={member.data.role} custom={roles.nameOf(member.data.role)} />
      </Group>
      <Held
        title={words.full.teams}
        none={words.full.noTeams}
        of={member.data.teams.map(({ team_id, role }) => ({ id: team_id, name: teams.find(team_id)?.name, role }))}
      />
      <Held
        title={words.full.projects}
        none={words.full.noProjects}
        of={member.data.projects.map(({ project_id, role }) => ({
          id: project_id,
          name: projects.find(project_id)?.name,
          role,
        }))}
      />
      <div>
        <Title order={3} mb={6}>
          {words.full.may}
        </Title>
        {held.size === 0 ? (
          <Text size="sm" c="dimmed">
            {words.full.nothing}
          </Text>
        ) : (
          <List size="sm" spacing={2}>
            {PERMISSIONS.flatMap(({ permissions }) => permissions)
              .filter((permission) => held.has(permission))
              .map((permission) => (
                <List.Item key={permission}>{may[permission]}</List.Item>
              ))}
          </List>
        )}
      </div>
      {org.can("access.explain") && (
        <TextLink to="/o/$org/roles/why" params={{ org: org.address }} search={{ user: id }} size="sm">
          {words.full.why}
        </TextLink>
      )}
    </Stack>
  );
}

function Held({
  title,
  none,
  of,
}: {
  title: string;
  none: string;
  of: { id: string; name: string | undefined; role: string }[];
}) {
  const roles = useRoles();
  return (
    <div>
      <Title order={3} mb={6}>
        {title}
      </Title>
      {of.length === 0 ? (
        <Text size="sm" c="dimmed">
          {none}
        </Text>
      ) : (
        <Stack gap={6}>
          {of.map(({ id, name, role }) => (
            <Group key={id} justify="space-between" wrap="nowrap">
              <Text size="sm" style={{ overflowWrap: "anywhere" }}>
                <bdi>{name ?? id}</bdi>
              </Text>
              <RoleName role={role} custom={roles.nameOf(role)} />
            </Group>
          ))}
        </Stack>
      )}
    </div>
  );
}
