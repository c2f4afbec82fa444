/** Counts what is used while the page is open, from the stream of the usage log. */
import { Badge, Group, Text } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { useFormat } from "@/lib/format";
import { useLive } from "@/lib/live";
import { useOrg } from "@/lib/org";
import { useWords } from "@/lib/words/words";
import type { Row } from "./api/logs";
import { usageKey } from "./api/summary";
import { usage } from "./words";

/** Milliseconds between two looks at the sums while rows come in. */
const BREATH = 1_000;

export function LiveCounter() {
  const words = useWords(usage);
  const format = useFormat();
  const org = useOrg();
  const queries = useQueryClient();
  const [seen, setSeen] = useState({ requests: 0, cost: 0 });
  const due = useRef<number>(undefined);
  useLive("/api/v1/usage/events", ({ event, data }) => {
    if (event === "usage") {
      const row = data as Row;
      setSeen(({ requests, cost }) => ({ requests: requests + 1, cost: cost + row.cost_micros }));
    }
    due.current ??= window.setTimeout(() => {
      due.current = undefined;
      void queries.invalidateQueries({ queryKey: usageKey(org) });
      void queries.invalidateQueries({ queryKey: [org.id, "budgets"] });
    }, BREATH);
  });
  return (
    <Group gap={8} aria-live="polite">
      <Badge variant="dot" color="green" tt="none" fw={500}>
        {words.live}
      </Badge>
      <Text size="xs" c="dimmed">
        {seen.requests === 0
          ? words.liveNone
          : words.liveNow(format.number(seen.requests), format.money(seen.cost, "USD"))}
      </Text>
    </Group>
  );
}
