/** What can be done with a row of a list, behind three dots. */
import { ActionIcon, Menu } from "@mantine/core";
import { IconDots } from "@tabler/icons-react";
import { type ReactNode, useState } from "react";
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
  const dots = (
    <ActionIcon
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
    <Menu position="bottom-end" defaultOpened>
      <Menu.Target>{dots}</Menu.Target>
      <Menu.Dropdown>{children}</Menu.Dropdown>
    </Menu>
  );
}
