/** What can be done with a row of a list, behind three dots. */
import { ActionIcon, Menu } from "@mantine/core";
import { IconDots } from "@tabler/icons-react";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { shared } from "@/lib/words/shared";
import { useWords } from "@/lib/words/words";

interface RowMenuProps {
  /** What the row is called: it is said to who does not see the row around the dots. */
  of: string;
  /** Whether something that was chosen is under way. */
  busy?: boolean;
  /** Its `Menu.Item`s. */
  children: ReactNode;
}

export function RowMenu({ of, busy = false, children }: RowMenuProps) {
  const common = useWords(shared);
  const [used, setUsed] = useState(false);
  const [opened, setOpened] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  // The menu gives the focus back to what has it when it opens: the dots, which were made anew with it.
  useEffect(() => {
    if (!used) return;
    button.current?.focus();
    setOpened(true);
  }, [used]);
  const dots = (
    <ActionIcon
      ref={button}
      variant="subtle"
      color="gray"
      aria-label={common.actionsFor(of)}
      aria-haspopup="menu"
      aria-expanded={false}
      loading={busy}
      onClick={() => setUsed(true)}
    >
      <IconDots size={18} aria-hidden />
    </ActionIcon>
  );
  // A list has many, of which hardly one is opened: the menu behind the dots is made when it is.
  if (!used) return dots;
  return (
    <Menu position="bottom-end" opened={opened} onChange={setOpened}>
      <Menu.Target>{dots}</Menu.Target>
      <Menu.Dropdown>{children}</Menu.Dropdown>
    </Menu>
  );
}
