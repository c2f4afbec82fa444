/** Small things that say one fact each: a time, a role, a state, a person. */
import { Avatar, Badge, Box, Group, Text, Tooltip } from "@mantine/core";
import { useFormat } from "@/lib/format";
import { shared } from "@/lib/words/shared";
import { useWords } from "@/lib/words/words";

/** A time as how long ago it was, with the exact one for who asks. */
export function Ago({ time }: { time: string | null | undefined }) {
  const words = useWords(shared);
  const format = useFormat();
  if (!time) return <span>{words.never}</span>;
  return (
    <Tooltip label={format.dateTime(time)}>
      <time dateTime={time}>{format.ago(time)}</time>
    </Tooltip>
  );
}

/** A built-in role by its name; custom ones are named by who knows them. */
export function RoleName({ role, custom }: { role: string; custom?: string }) {
  const { roles } = useWords(shared);
  const name = role in roles && role !== "custom" ? roles[role as keyof typeof roles] : (custom ?? roles.custom);
  return (
    <Badge variant="light" color={role === "owner" ? "door" : "gray"} tt="none" fw={550}>
      {name}
    </Badge>
  );
}

/** A state in a word, with a colour that only repeats it. */
export function State({ color, children }: { color: "green" | "yellow" | "red" | "gray" | "blue"; children: string }) {
  return (
    <Badge variant="dot" color={color} tt="none" fw={500}>
      {children}
    </Badge>
  );
}

/** Somebody, with name and address. */
export function Who({ name, email }: { name: string; email?: string }) {
  return (
    <Group gap="sm" wrap="nowrap" miw={0}>
      <Avatar name={name} color="initials" size={32} aria-hidden />
      <Box miw={0}>
        <Text size="sm" fw={550} style={{ overflowWrap: "anywhere" }}>
          <bdi>{name}</bdi>
        </Text>
        {email && (
          <Text size="xs" c="dimmed" style={{ overflowWrap: "anywhere" }}>
            {email}
          </Text>
        )}
      </Box>
    </Group>
  );
}
