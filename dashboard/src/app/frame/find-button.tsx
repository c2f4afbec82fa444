import { Kbd, Text, UnstyledButton } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { useWords } from "@/lib/words/words";
import styles from "./frame.module.css";
import { openPalette } from "./palette-store";
import { frame } from "./words";

export function FindButton() {
  const words = useWords(frame);
  const mac = /Mac|iPhone|iPad/.test(window.navigator.userAgent);
  return (
    <UnstyledButton className={styles.find} onClick={openPalette} aria-keyshortcuts="Control+K Meta+K">
      <IconSearch size={15} aria-hidden />
      <Text size="sm" flex={1} ta="start">
        {words.find}
      </Text>
      <Kbd size="xs" aria-hidden>
        {mac ? "⌘K" : "Ctrl K"}
      </Kbd>
    </UnstyledButton>
  );
}
