import { Button, Card, Grid, Modal, Text } from "@mantine/core";
import { IconPlus, IconUsersGroup } from "@tabler/icons-react";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { Page } from "@/components/page";
import { Empty, Failure, Loading } from "@/components/states";
import { useOrg } from "@/lib/org";
import { useTeams } from "@/lib/roster";
import { useWords } from "@/lib/words/words";
import { TeamForm } from "../team-form";
import { TeamPanel } from "../team-panel";
import { type Branch, treeOf } from "../tree";
import styles from "../tree.module.css";
import { teams as wordsOf } from "../words";

export function TeamsPage() {
  const words = useWords(wordsOf);
  const org = useOrg();
  const { teams, find, isPending, error, refetch } = useTeams();
  const { team: chosen } = useSearch({ from: "/o/$org/teams" });
  const navigate = useNavigate({ from: "/o/$org/teams" });
  const [creating, setCreating] = useState(false);
  const tree = treeOf(teams);
  const team = find(chosen ?? "") ?? tree[0]?.team;
  const show = (id: string | undefined) => void navigate({ search: (before) => ({ ...before, team: id }) });
  const create = org.can("teams.create") && (
    <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setCreating(true)}>
      {words.create}
    </Button>
  );
  return (
    <Page title={words.title} intro={words.intro} help={<p>{words.help}</p>} actions={create}>
      {error && teams.length === 0 ? (
        <Failure error={error} retry={() => void refetch()} />
      ) : isPending ? (
        <Loading lines={6} />
      ) : teams.length === 0 ? (
        <Card padding={0}>
          <Empty icon={IconUsersGroup} title={words.emptyTitle} text={words.emptyText} action={create} />
        </Card>
      ) : (
        <Grid gap="lg">
          <Grid.Col span={{ base: 12, md: 4 }}>
            <Card padding="xs" component="nav" aria-label={words.tree}>
              <Branches of={tree} chosen={team?.id} />
            </Card>
          </Grid.Col>
          <Grid.Col span={{ base: 12, md: 8 }}>
            {team ? (
              <TeamPanel
                key={team.id}
                team={team}
                hasBelow={teams.some(({ parent_id }) => parent_id === team.id)}
                show={show}
              />
            ) : (
              <Text c="dimmed">{words.pick}</Text>
            )}
          </Grid.Col>
        </Grid>
      )}
      <Modal opened={creating} onClose={() => setCreating(false)} title={words.form.create}>
        <TeamForm
          done={({ id }) => {
            setCreating(false);
            show(id);
          }}
          cancel={() => setCreating(false)}
        />
      </Modal>
    </Page>
  );
}

function Branches({ of, chosen }: { of: readonly Branch[]; chosen: string | undefined }) {
  const org = useOrg();
  return (
    <ul className={styles.list}>
      {of.map(({ team, below }) => (
        <li key={team.id}>
          <Link
            to="/o/$org/teams"
            params={{ org: org.address }}
            search={(before) => ({ ...before, team: team.id })}
            activeOptions={{ includeSearch: true }}
            // The first team is shown when the address names none.
            className={team.id === chosen ? styles.chosen : styles.team}
          >
            <IconUsersGroup size={16} stroke={1.7} aria-hidden style={{ flex: "none" }} />
            <bdi>{team.name}</bdi>
          </Link>
          {below.length > 0 && <Branches of={below} chosen={chosen} />}
        </li>
      ))}
    </ul>
  );
}
