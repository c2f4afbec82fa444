/** Questions and their answers: the conversations, and beside them the one that is open. */

import { Box } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { Outlet, useParams } from "@tanstack/react-router";
import { ButtonLink } from "@/components/links";
import { Page } from "@/components/page";
import { useOrg } from "@/lib/org";
import { useWords } from "@/lib/words/words";
import styles from "../ask.module.css";
import { ThreadList } from "../thread-list";
import { asking } from "../words";

export function AskPage() {
  const words = useWords(asking);
  const org = useOrg();
  const { thread } = useParams({ strict: false });
  return (
    <Page
      title={words.title}
      intro={thread ? undefined : words.intro}
      width={1240}
      help={
        <>
          <p>{words.help}</p>
          <p>{words.helpKept}</p>
        </>
      }
      actions={
        thread && (
          <ButtonLink to="/o/$org/ask" params={{ org: org.address }} leftSection={<IconPlus size={16} aria-hidden />}>
            {words.newThread}
          </ButtonLink>
        )
      }
    >
      <div className={styles.columns}>
        <Box className={styles.list} visibleFrom={thread ? "md" : undefined}>
          <ThreadList />
        </Box>
        <Outlet />
      </div>
    </Page>
  );
}
