import { Stack } from "@mantine/core";
import { DomainsSection } from "../domains";
import { LifetimesSection } from "../lifetimes";

export function SignInsPage() {
  return (
    <Stack gap="lg">
      <DomainsSection />
      <LifetimesSection />
    </Stack>
  );
}
