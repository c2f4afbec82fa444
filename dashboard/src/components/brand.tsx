import { Group, Text } from "@mantine/core";

/** The name with its sign. */
export function Brand() {
  return (
    <Group gap={9} wrap="nowrap">
      <svg viewBox="0 0 32 32" width="26" height="26" aria-hidden="true">
        <rect width="32" height="32" rx="7" fill="#0b6b5d" />
        <path d="M5 25V13l5.5-5 5.5 5 5.5-5 5.5 5v12h-7v-6h-3v6z" fill="#fff" />
      </svg>
      <Text fw={680} size="lg" lts="-0.015em">
        Rowhouse
      </Text>
    </Group>
  );
}
