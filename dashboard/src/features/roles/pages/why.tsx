import { Alert, Card, Group, List, Select, SimpleGrid, Stack, Text, Title } from "@mantine/core";
import { IconArrowLeft, IconCheck, IconX } from "@tabler/icons-react";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { TextLink } from "@/components/links";
import { Page } from "@/components/page";
import { PersonSelect } from "@/components/pickers";
import { Failure, Loading } from "@/components/states";
import type { Permission } from "@/lib/api/client";
import { useOrg } from "@/lib/org";
import { usePeople, useProjects, useTeams } from "@/lib/roster";
import { PERMISSIONS, permissionGroups, permissionWords } from "@/lib/words/permissions";
import { useWords } from "@/lib/words/words";
import { type Asked, useExplanation } from "../api/explain";
import { roles } from "../words";

const ORG = "org";

export function WhyPage() {
  const words = useWords(roles);
  const groups = useWords(permissionGroups);
  const may = useWords(permissionWords);
  const org = useOrg();
  const people = usePeople();
  const teams = useTeams();
  const projects = useProjects();
  const { user, permission, at } = useSearch({ from: "/o/$org/roles/why" });
  const navigate = useNavigate({ from: "/o/$org/roles/why" });
  // About others only those ask who may; about oneself everybody.
  const anybody = org.can("access.explain") && org.can("members.read");
  const who = anybody ? (user ?? org.person.id) : org.person.id;
  const asked: Asked | undefined =
    permission && permission in may
      ? {
          permission: permission as Permission,
          user_id: who,
          ...(at?.startsWith("tea_") ? { team_id: at } : {}),
          ...(at?.startsWith("prj_") ? { project_id: at } : {}),
        }
      : undefined;
  const found = useExplanation(asked);
  const name = people.find(who)?.name ?? (who === org.person.id ? org.person.name : who);
  const choose = (part: { user?: string; permission?: string; at?: string }) =>
    void navigate({ search: (before) => ({ ...before, ...part }), replace: true });

  return (
    <>
      <TextLink to="/o/$org/roles" params={{ org: org.address }} size="sm" display="block" mb="xs">
        <Group gap={4} component="span">
          <IconArrowLeft size={14} aria-hidden />
          {words.back}
        </Group>
      </TextLink>
      <Page title={words.why} intro={words.explain.intro} help={<p>{words.explain.help}</p>}>
        <Stack gap="lg">
          <Card>
            <SimpleGrid cols={{ base: 1, sm: anybody ? 3 : 2 }}>
              {anybody && (
                <PersonSelect
                  label={words.explain.who}
                  value={who}
                  allowDeselect={false}
                  onChange={(value) => choose({ user: value ?? undefined })}
                />
              )}
              <Select
                label={words.explain.what}
                searchable
                limit={100}
                value={permission ?? null}
                data={PERMISSIONS.map(({ group, permissions }) => ({
                  group: groups[group],
                  items: permissions.map((each) => ({ value: each, label: may[each] })),
                }))}
                onChange={(value) => choose({ permission: value ?? undefined })}
              />
              <Select
                label={words.explain.where}
                searchable
                limit={100}
                allowDeselect={false}
                value={at ?? ORG}
                data={[
                  { value: ORG, label: words.explain.org },
                  ...teams.teams.map((team) => ({ value: team.id, label: words.explain.team(team.name) })),
                  ...projects.projects.map((project) => ({
                    value: project.id,
                    label: words.explain.project(project.name),
                  })),
                ]}
                onChange={(value) => choose({ at: value === ORG || value === null ? undefined : value })}
              />
            </SimpleGrid>
          </Card>
          <div>
            {!asked ? (
              <Text c="dimmed" size="sm">
                {words.explain.pick}
              </Text>
            ) : found.error ? (
              <Failure error={found.error} retry={() => void found.refetch()} />
            ) : !found.data ? (
              <Loading lines={4} />
            ) : (
              <Stack>
                <Alert
                  role="status"
                  color={found.data.allowed ? "door" : "red"}
                  variant="light"
                  icon={found.data.allowed ? <IconCheck aria-hidden /> : <IconX aria-hidden />}
                  title={found.data.allowed ? words.explain.yes(name) : words.explain.no(name)}
                >
                  {may[found.data.permission]}
                </Alert>
                <div>
                  <Title order={2} mb="xs">
                    {words.explain.reasons}
                  </Title>
                  {/* The server says them, in English. */}
                  <List type="ordered" size="sm" spacing={6} lang="en">
                    {found.data.because.map((reason) => (
                      <List.Item key={reason}>{reason}</List.Item>
                    ))}
                  </List>
                </div>
              </Stack>
            )}
          </div>
        </Stack>
      </Page>
    </>
  );
}
