/** What stands in the place of a page that threw an error, or of one that is not there. */
import { Button, Group } from "@mantine/core";
import { IconBug, IconMapOff } from "@tabler/icons-react";
import { useRouter } from "@tanstack/react-router";
import { ApiError } from "@/lib/api/error";
import { shared } from "@/lib/words/shared";
import { useWords } from "@/lib/words/words";
import { FailedPage } from "./failed-page";
import { Empty } from "./states";

export function Crash({ error }: { error: unknown }) {
  const { errors } = useWords(shared);
  const router = useRouter();
  if (error instanceof ApiError && error.code === "not_found") return <Missing />;
  // What is refused to a route is no page's error: drawing it again would ask for nothing.
  if (error instanceof ApiError) return <FailedPage error={error} retry={() => void router.invalidate()} />;
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
