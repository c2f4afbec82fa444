/** The conversations beside a page: one's own, and those that are shared. */
import { Card, SegmentedControl, Stack, Text, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconSearch } from "@tabler/icons-react";
import { Link, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { Pager } from "@/components/data-table";
import { Ago } from "@/components/facts";
import { Failure, Loading } from "@/components/states";
import { useOrg } from "@/lib/org";
import { useWords } from "@/lib/words/words";
import { useThreads } from "./api/list-threads";
import styles from "./ask.module.css";
import { asking } from "./words";

export function ThreadList() {
  const words = useWords(asking);
  const org = useOrg();
  const { thread } = useParams({ strict: false });
  const [which, setWhich] = useState<"mine" | "shared">("mine");
  const [typed, setTyped] = useState("");
  const [q] = useDebouncedValue(typed.trim(), 250);
  const list = useThreads({ q, shared: which === "shared" });
  const nothing = q ? words.noneFound : which === "shared" ? words.noneShared : words.none;
  return (
    <Stack gap="sm" component="section" aria-label={words.conversations}>
      <SegmentedControl
        size="xs"
        fullWidth
        aria-label={words.conversations}
        value={which}
        onChange={(value) => setWhich(value as typeof which)}
        data={[
          { value: "mine", label: words.mine },
          { value: "shared", label: words.shared },
        ]}
      />
      <TextInput
        size="xs"
        type="search"
        aria-label={words.search}
        placeholder={words.search}
        leftSection={<IconSearch size={14} aria-hidden />}
        value={typed}
        onChange={(event) => setTyped(event.currentTarget.value)}
      />
      {list.error && list.rows.length === 0 ? (
        <Failure error={list.error} retry={list.retry} />
      ) : list.isPending ? (
        <Loading lines={5} />
      ) : list.rows.length === 0 ? (
        <Text size="sm" c="dimmed" px={10}>
          {nothing}
        </Text>
      ) : (
        <Stack gap={2} component="ul" m={0} p={0} style={{ listStyle: "none" }}>
          {list.rows.map((row) => (
            <li key={row.id}>
              <Link
                to="/o/$org/ask/$thread"
                params={{ org: org.address, thread: row.id }}
                className={styles.entry}
                aria-current={row.id === thread ? "page" : undefined}
              >
                <Text size="sm" lineClamp={1} fw={row.id === thread ? 600 : 450}>
                  <bdi>{row.title || words.untitled}</bdi>
                </Text>
                <Text size="xs" c="dimmed" component="div">
                  <Ago time={row.updated_at} />
                  {row.access !== "private" && ` · ${words.sharedState[row.access]}`}
                </Text>
              </Link>
            </li>
          ))}
        </Stack>
      )}
      {(list.next || list.previous) && (
        <Card padding={0}>
          <Pager list={list} />
        </Card>
      )}
    </Stack>
  );
}
