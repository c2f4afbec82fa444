/** What stands in the place of a page that threw an error, or of one that is not there. */
import { Button, Group } from "@mantine/core";
import { IconBug, IconMapOff } from "@tabler/icons-react";
import { ApiError } from "@/lib/api/error";
import { shared } from "@/lib/words/shared";
import { useWords } from "@/lib/words/words";
import { FailedPage } from "./failed-page";
import { Empty } from "./states";

export function Crash({ error, reset }: { error: unknown; reset: () => void }) {
  const { errors } = useWords(shared);
  if (error instanceof ApiError && error.code === "not_found") return <Missing />;
  if (error instanceof ApiError) return <FailedPage error={error} retry={reset} />;
  return (
    <Empty
      page
      icon={IconBug}
      title={errors.crashed}
      text={errors.crashedText}
      action={<Button onClick={() => window.location.reload()}>{errors.reload}</Button>}
    />
  );
}

export function Missing() {
  const { missing } = useWords(shared);
  return (
    <Empty
      page
      icon={IconMapOff}
      title={missing.title}
      text={missing.text}
      action={
        <Group>
          <Button component="a" href="/" variant="default">
            {missing.home}
          </Button>
        </Group>
      }
    />
  );
}
