/** Stands where a page is being built. */
import { IconHammer } from "@tabler/icons-react";
import { Page } from "@/components/page";
import { Empty } from "@/components/states";
import { useWords } from "@/lib/words/words";
import { frame } from "./frame/words";

export function Soon({ area }: { area: "home" | "ask" | "knowledge" | "usage" | "models" | "audit" | "settings" }) {
  const words = useWords(frame);
  return (
    <Page title={words.areas[area]} help={<p>{words.soon}</p>}>
      <Empty icon={IconHammer} title={words.areas[area]} text={words.soon} />
    </Page>
  );
}
