import { Box, Button, Card, Group, NavLink, Stack, Text, TextInput, Title, Typography } from "@mantine/core";
import { IconBook2, IconListCheck, IconSearch } from "@tabler/icons-react";
import { useNavigate, useSearch } from "@tanstack/react-router";
import Markdown from "react-markdown";
import { Page } from "@/components/page";
import { useOrg } from "@/lib/org";
import { told } from "@/lib/toast";
import { useLanguage, useWords } from "@/lib/words/words";
import { useShowSteps } from "../api/show-steps";
import { articlesIn, search } from "../articles";
import { FeedbackBox } from "../feedback-box";
import styles from "../help.module.css";
import { help } from "../words";

export function HelpPage() {
  const words = useWords(help);
  const language = useLanguage();
  const org = useOrg();
  const steps = useShowSteps();
  const { article, q = "" } = useSearch({ from: "/o/$org/help" });
  const navigate = useNavigate({ from: "/o/$org/help" });
  const all = articlesIn(language);
  const found = search(all, q);
  const shown = found.find(({ name }) => name === article) ?? found[0];
  return (
    <Page title={words.title} intro={words.intro} help={<p>{words.help}</p>}>
      <TextInput
        type="search"
        size="md"
        mb="lg"
        maw={520}
        aria-label={words.search}
        placeholder={words.search}
        leftSection={<IconSearch size={18} aria-hidden />}
        value={q}
        onChange={(event) => {
          const typed = event.currentTarget.value;
          void navigate({
            search: (before) => ({ ...before, q: typed || undefined, article: undefined }),
            replace: true,
          });
        }}
      />
      <div className={styles.sides}>
        <Box component="nav" aria-label={words.articles}>
          {found.map(({ name, title }) => (
            <NavLink
              key={name}
              component="button"
              label={title}
              active={name === shown?.name}
              aria-current={name === shown?.name ? "true" : undefined}
              onClick={() => void navigate({ search: (before) => ({ ...before, article: name }) })}
              className={styles.entry}
            />
          ))}
          <Stack gap="xs" mt="md" align="flex-start">
            {org.can("config.write") && (
              <Button
                variant="default"
                size="xs"
                leftSection={<IconListCheck size={14} aria-hidden />}
                loading={steps.isPending}
                onClick={() => steps.mutate(undefined, { onSuccess: () => told(words.stepsShown) })}
              >
                {words.steps}
              </Button>
            )}
            <Button
              component="a"
              href="/api/docs"
              target="_blank"
              rel="noreferrer"
              variant="default"
              size="xs"
              leftSection={<IconBook2 size={14} aria-hidden />}
            >
              {words.api}
            </Button>
          </Stack>
        </Box>
        <Stack gap="lg" miw={0}>
          <Card component="article" aria-live="polite">
            {shown ? (
              <>
                <Title order={2} mb="sm" fz="xl">
                  {shown.title}
                </Title>
                <Typography fz="sm" className={styles.text}>
                  <Markdown>{shown.text}</Markdown>
                </Typography>
              </>
            ) : (
              <Group>
                <Text size="sm" c="dimmed">
                  {words.none}
                </Text>
              </Group>
            )}
          </Card>
          <FeedbackBox />
        </Stack>
      </div>
    </Page>
  );
}
