/** Who sees a collection or a conversation: nobody else, chosen people and teams, or everybody in its place. */
import { ActionIcon, Badge, Group, Radio, Select, Stack, Text } from "@mantine/core";
import { IconX } from "@tabler/icons-react";
import { Failure, Loading } from "@/components/states";
import type { Schemas } from "@/lib/api/client";
import { useDirectory } from "@/lib/directory";
import { useOrg } from "@/lib/org";
import { useWords } from "@/lib/words/words";
import { sharing } from "./share-words";

export type Reach = Schemas["Reach"];
export type Share = Schemas["Share"];
const REACHES = ["private", "shared", "project"] as const;

export function SharePanel({
  reach,
  project,
  onReach,
  shares,
  onAdd,
  onRemove,
  pending,
}: {
  reach: Reach;
  /** The project that it belongs to, if one. */
  project: string | null | undefined;
  onReach: (reach: Reach) => void;
  shares: { data: readonly Share[] | undefined; error: Error | null };
  onAdd: (level: Share["level"], id: string) => void;
  onRemove: (level: Share["level"], id: string) => void;
  pending: boolean;
}) {
  const words = useWords(sharing);
  const org = useOrg();
  const directory = useDirectory();
  const taken = new Set([org.person.id, ...(shares.data ?? []).map(({ id }) => id)]);
  const free = (all: readonly { id: string; name: string }[], level: Share["level"]) =>
    all.filter(({ id }) => !taken.has(id)).map(({ id, name }) => ({ value: `${level}:${id}`, label: name }));
  const everybody = project ? words.inProject(directory.nameOf(project) ?? project) : words.inOrg;

  return (
    <Stack>
      <Radio.Group label={words.who} value={reach} onChange={(value) => onReach(value as Reach)}>
        <Stack gap="sm" mt={8}>
          {REACHES.map((value) => (
            <Radio
              key={value}
              value={value}
              disabled={pending}
              label={words.reaches[value]}
              description={{ private: words.privateHint, shared: words.sharedHint, project: everybody }[value]}
            />
          ))}
        </Stack>
      </Radio.Group>
      {reach === "shared" && (
        <>
          <Select
            label={words.add}
            placeholder={words.addHint}
            searchable
            disabled={pending}
            data={[
              { group: words.people, items: free(directory.people, "user") },
              { group: words.teams, items: free(directory.teams, "team") },
            ]}
            value={null}
            onChange={(value) => {
              const [level, id] = value?.split(":") ?? [];
              if (level && id) onAdd(level as Share["level"], id);
            }}
          />
          <div>
            <Text size="sm" fw={550} mb={4}>
              {words.with}
            </Text>
            {shares.error && <Failure error={shares.error} />}
            {!shares.data && !shares.error && <Loading lines={2} />}
            {shares.data?.length === 0 && (
              <Text size="sm" c="dimmed">
                {words.nobody}
              </Text>
            )}
            {shares.data?.map(({ id, level }) => {
              const name = directory.nameOf(id) ?? words.unknown;
              return (
                <Group key={id} justify="space-between" wrap="nowrap" py={4}>
                  <Group gap={8}>
                    <Text size="sm">
                      <bdi>{name}</bdi>
                    </Text>
                    {level === "team" && (
                      <Badge size="sm" variant="light" color="gray" tt="none">
                        {words.team}
                      </Badge>
                    )}
                  </Group>
                  <ActionIcon
                    variant="subtle"
                    color="gray"
                    aria-label={words.remove(name)}
                    disabled={pending}
                    onClick={() => onRemove(level, id)}
                  >
                    <IconX size={16} aria-hidden />
                  </ActionIcon>
                </Group>
              );
            })}
          </div>
        </>
      )}
    </Stack>
  );
}
