import { Alert, Badge, Button, Group } from "@mantine/core";
import { IconRefresh, IconShieldCheck, IconShieldX } from "@tabler/icons-react";
import { useFormat } from "@/lib/format";
import { useWords } from "@/lib/words/words";
import { useVerification } from "./api/verify-log";
import { audit } from "./words";

/** Whether the log is whole: a mark that says so, or an alarm. */
export function ChainMark() {
  const words = useWords(audit);
  const format = useFormat();
  const { data, isFetching, refetch } = useVerification();
  if (data?.fault) {
    return (
      <Alert color="red" variant="light" icon={<IconShieldX aria-hidden />} title={words.broken} role="alert">
        {words.brokenText(data.fault)}
      </Alert>
    );
  }
  return (
    <Group gap="xs" role="status">
      <Badge
        size="lg"
        variant="light"
        tt="none"
        fw={550}
        color={data ? "door" : "gray"}
        leftSection={<IconShieldCheck size={14} aria-hidden />}
      >
        {data && !isFetching ? words.whole(format.number(data.entries)) : words.checking}
      </Badge>
      {data && (
        <Button
          variant="subtle"
          size="compact-xs"
          loading={isFetching}
          leftSection={<IconRefresh size={13} aria-hidden />}
          onClick={() => void refetch()}
        >
          {words.check}
        </Button>
      )}
    </Group>
  );
}
