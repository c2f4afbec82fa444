/** Who sees a collection or a conversation: nobody else, chosen people and teams, or everybody in its place. */
import { ActionIcon, Badge, Group, Radio, Select, Stack, Text } from "@mantine/core";
import { IconX } from "@tabler/icons-react";
import { type Question, useConfirm } from "@/components/confirm";
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
  of,
  ends,
  shares,
  update,
  change,
}: {
  of: { access: Reach; project_id?: string | null };
  /** What is asked before those lose it with whom it was shared. */
  ends: Question;
  shares: { data: readonly Share[] | undefined; error: Error | null };
  update: { mutate: (wish: { access: Reach }) => void; isPending: boolean };
  change: { mutate: (wish: { level: Share["level"]; id: string; shared: boolean }) => void; isPending: boolean };
}) {
  const words = useWords(sharing);
  const org = useOrg();
  const confirm = useConfirm();
  const directory = useDirectory();
  const taken = new Set([org.person.id, ...(shares.data ?? []).map(({ id }) => id)]);
  const free = (all: readonly { id: string; name: string }[], level: Share["level"]) =>
    all.filter(({ id }) => !taken.has(id)).map(({ id, name }) => ({ value: `${level}:${id}`, label: name }));
  const { access, project_id: project } = of;
  const everybody = project ? words.inProject(directory.nameOf(project) ?? project) : words.inOrg;
  const pending = update.isPending || change.isPending;
  const reach = async (wanted: Reach) => {
    const loses = access === "shared" && (shares.data?.length ?? 0) > 0;
    if (loses && !(await confirm(ends))) return;
    update.mutate({ access: wanted });
  };

  return (
    <Stack>
      <Radio.Group label={words.who} value={access} onChange={(value) => void reach(value as Reach)}>
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
      {access === "shared" && (
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
              if (level && id) change.mutate({ level: level as Share["level"], id, shared: true });
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
                    onClick={() => change.mutate({ level, id, shared: false })}
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
