import { Box, Title } from "@mantine/core";
import { shared } from "@/lib/words/shared";
import { useWords } from "@/lib/words/words";
import { useTitle } from "./page";
import { Failure } from "./states";

/** A page that has nothing to show, because what it is about could not be had. */
export function FailedPage({ error, retry }: { error: unknown; retry: () => void }) {
  const { errors } = useWords(shared);
  useTitle(errors.page);
  return (
    <Box maw={1120} mx="auto" w="100%">
      <Title order={1} mb="lg">
        {errors.page}
      </Title>
      <Failure error={error} retry={retry} />
    </Box>
  );
}
