/** Things to take along: text with a button that copies it, secrets that are shown once, samples in several languages. */
import { Alert, Box, Button, Code, CopyButton, Group, Stack, Tabs, Text } from "@mantine/core";
import { IconCheck, IconCopy, IconKey } from "@tabler/icons-react";
import { useId } from "react";
import { shared } from "@/lib/words/shared";
import { useWords } from "@/lib/words/words";

export function Copy({ text, label }: { text: string; label?: string }) {
  const words = useWords(shared);
  return (
    <CopyButton value={text}>
      {({ copied, copy }) => (
        <Button
          variant="default"
          size="xs"
          onClick={copy}
          aria-live="polite"
          leftSection={copied ? <IconCheck size={14} aria-hidden /> : <IconCopy size={14} aria-hidden />}
        >
          {copied ? words.copied : (label ?? words.copy)}
        </Button>
      )}
    </CopyButton>
  );
}

/** A secret that cannot be shown again. */
export function SecretOnce({ label, secret }: { label: string; secret: string }) {
  const words = useWords(shared);
  const id = useId();
  return (
    <Stack gap="xs">
      <Alert color="yellow" variant="light" icon={<IconKey aria-hidden />} title={words.secret.once}>
        {words.secret.warning}
      </Alert>
      <Group gap="xs" align="flex-end" wrap="nowrap">
        <Box flex={1} miw={0}>
          <Text size="sm" fw={550} id={id}>
            {label}
          </Text>
          <Code block aria-labelledby={id} style={{ overflowWrap: "anywhere", whiteSpace: "pre-wrap" }}>
            {secret}
          </Code>
        </Box>
      </Group>
      <Group>
        <Copy text={secret} />
      </Group>
    </Stack>
  );
}

/** The same deed in several languages, each to be copied as it stands. */
export function Samples({ label, samples }: { label: string; samples: Readonly<Record<string, string>> }) {
  const names = Object.keys(samples);
  return (
    <Tabs defaultValue={names[0]} keepMounted={false}>
      <Tabs.List aria-label={label}>
        {names.map((name) => (
          <Tabs.Tab key={name} value={name}>
            {name}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      {names.map((name) => (
        <Tabs.Panel key={name} value={name} pt="xs">
          {/* Reached by the keyboard, since it may scroll. */}
          <Code block tabIndex={0} mb="xs" style={{ overflowX: "auto" }}>
            {samples[name]}
          </Code>
          <Copy text={samples[name] ?? ""} />
        </Tabs.Panel>
      ))}
    </Tabs>
  );
}
