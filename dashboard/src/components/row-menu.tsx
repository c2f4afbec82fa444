/** What can be done with a row of a list, behind three dots. */
import { ActionIcon, Menu } from "@mantine/core";
import { IconDots } from "@tabler/icons-react";
import type { ReactNode } from "react";
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
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" aria-label={common.actionsFor(of)} loading={busy}>
          <IconDots size={18} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>{children}</Menu.Dropdown>
    </Menu>
  );
}
