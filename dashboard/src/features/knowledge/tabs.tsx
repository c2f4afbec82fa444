/** The parts of the knowledge, as links: each has its own address. */
import { Tabs } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { useOrg } from "@/lib/org";
import { useWords } from "@/lib/words/words";
import { knowledge } from "./words";

const PARTS = {
  collections: "/o/$org/knowledge",
  search: "/o/$org/knowledge/search",
  embedding: "/o/$org/knowledge/embedding",
} as const;
type Part = keyof typeof PARTS;

export function KnowledgeTabs({ at }: { at: Part }) {
  const words = useWords(knowledge);
  const org = useOrg();
  const navigate = useNavigate();
  const offered = (Object.keys(PARTS) as Part[]).filter((part) => part !== "embedding" || org.can("providers.read"));
  return (
    <Tabs
      value={at}
      onChange={(part) => void navigate({ to: PARTS[part as Part], params: { org: org.address } })}
      activateTabWithKeyboard={false}
      mb="lg"
    >
      <Tabs.List aria-label={words.tabs}>
        {offered.map((part) => (
          <Tabs.Tab key={part} value={part}>
            {words[part]}
          </Tabs.Tab>
        ))}
      </Tabs.List>
    </Tabs>
  );
}
