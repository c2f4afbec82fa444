import { Button, Code, Stack, Text } from "@mantine/core";
import { useFormat } from "@/lib/format";
import { useWords } from "@/lib/words/words";
import type { Entry } from "./api/list-entries";
import { audit } from "./words";

/** All that the log says about one deed. */
export function EntryInFull({ of, about }: { of: Entry; about: (object: string) => void }) {
  const words = useWords(audit);
  const format = useFormat();
  const fields: [string, string | null | undefined][] = [
    [words.fields.at, `${format.dateTime(of.at)} (${of.at})`],
    [words.fields.actor, of.actor],
    [words.fields.on_behalf_of, of.on_behalf_of],
    [words.fields.action, of.action],
    [words.fields.object, of.object],
    [words.fields.address, of.address],
    [words.fields.request_id, of.request_id],
    [words.fields.before, of.before],
    [words.fields.after, of.after],
    [words.fields.hash, of.hash],
  ];
  const detail = JSON.stringify(of.detail ?? {}, null, 2);
  return (
    <Stack gap="sm">
      <dl style={{ margin: 0 }}>
        {fields
          .filter(([, value]) => value)
          .map(([name, value]) => (
            <div key={name} style={{ marginBottom: 10 }}>
              <Text component="dt" size="xs" c="dimmed">
                {name}
              </Text>
              <Text component="dd" size="sm" m={0} style={{ overflowWrap: "anywhere" }}>
                {value}
              </Text>
            </div>
          ))}
      </dl>
      {detail !== "{}" && (
        <div>
          <Text size="xs" c="dimmed" mb={4}>
            {words.fields.detail}
          </Text>
          <Code block style={{ overflowWrap: "anywhere", whiteSpace: "pre-wrap" }}>
            {detail}
          </Code>
        </div>
      )}
      {of.object && (
        <Button variant="default" size="xs" onClick={() => about(of.object)}>
          {words.only}
        </Button>
      )}
    </Stack>
  );
}
