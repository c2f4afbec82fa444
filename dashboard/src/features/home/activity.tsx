/** What happened last: calls with their cost, documents, changes. It is kept up to date by the streams. */
import { Badge, Card, Group, Text, Title } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useRef } from "react";
import { Ago } from "@/components/facts";
import { Failure, Loading } from "@/components/states";
import { useFormat } from "@/lib/format";
import { useLive } from "@/lib/live";
import { useOrg } from "@/lib/org";
import { useWho } from "@/lib/who";
import { useWords } from "@/lib/words/words";
import { useLastChanges, useLastUse } from "./api/activity";
import { useJobs } from "./api/knowledge";
import styles from "./home.module.css";
import { home } from "./words";

/** How many lines stand there. */
const MOST = 10;
/** Milliseconds between two looks while calls come in. */
const BREATH = 1_000;

export function Activity() {
  const words = useWords(home).activity;
  const format = useFormat();
  const org = useOrg();
  const queries = useQueryClient();
  const use = useLastUse();
  const changes = useLastChanges();
  const jobs = useJobs();
  const whoIs = useWho();
  const due = useRef<number>(undefined);
  useLive(org.canSomewhere("usage.read") ? "/api/v1/usage/events" : undefined, () => {
    due.current ??= window.setTimeout(() => {
      due.current = undefined;
      void queries.invalidateQueries({ queryKey: [org.id, "usage"] });
      void queries.invalidateQueries({ queryKey: [org.id, "budgets"] });
    }, BREATH);
  });

  // What has no words of its own is told as the log has it.
  const said = (action: string) => {
    const [thing = "", deed = ""] = action.split(".");
    return thing in words.things && deed in words.deeds
      ? words.did(words.deeds[deed as "created"], words.things[thing as "team"])
      : action.replaceAll(/[._]/g, " ");
  };

  const lines = [
    ...(use.data?.data ?? []).map((row) => ({
      key: `${row.id} ${row.attempt}`,
      at: row.at,
      who: whoIs(row.key_id ?? row.user_id ?? "system", row.user_id),
      what: words.used(row.model),
      cost: format.money(row.cost_micros, "USD"),
    })),
    ...(jobs.data?.data ?? []).map((job) => ({
      key: job.id,
      at: job.updated_at,
      who: job.name,
      what: words.documents[job.state],
      cost: undefined,
    })),
    ...(changes.data?.data ?? [])
      // Who signed in and what was refused are matters for the log itself.
      .filter(({ action }) => !action.startsWith("session.") && !action.startsWith("access."))
      .map((entry) => ({
        key: entry.id,
        at: entry.at,
        // What Rowhouse does because somebody asked for it is theirs.
        who: whoIs(entry.actor === "system" ? (entry.on_behalf_of ?? entry.actor) : entry.actor, entry.on_behalf_of),
        what: said(entry.action),
        cost: undefined,
      })),
  ]
    .sort((a, b) => Date.parse(b.at) - Date.parse(a.at))
    .slice(0, MOST);
  const error = use.error ?? jobs.error ?? changes.error;
  const retry = () => {
    for (const source of [use, jobs, changes]) if (source.error) void source.refetch();
  };
  const isLoading = use.isLoading || jobs.isLoading || changes.isLoading;

  return (
    <Card component="section" aria-label={words.title}>
      <Group justify="space-between" mb="sm">
        <Title order={2}>{words.title}</Title>
        <Badge variant="dot" color="green" tt="none" fw={500}>
          {words.live}
        </Badge>
      </Group>
      {error && lines.length === 0 && <Failure error={error} retry={retry} />}
      {isLoading && lines.length === 0 && <Loading lines={5} />}
      {!isLoading && !error && lines.length === 0 && (
        <Text size="sm" c="dimmed">
          {words.none}
        </Text>
      )}
      <div>
        {lines.map(({ key, at, who: name, what, cost }) => (
          <div key={key} className={styles.row}>
            <span className={styles.what}>
              <Text span size="sm" fw={550}>
                <bdi>{name}</bdi>
              </Text>{" "}
              {what}
            </span>
            {cost && <span className={styles.aside}>{cost}</span>}
            <span className={styles.aside}>
              <Ago time={at} />
            </span>
          </div>
        ))}
      </div>
    </Card>
  );
}
