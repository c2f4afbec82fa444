import { Stack } from "@mantine/core";
import { Failure, Loading } from "@/components/states";
import { useOrg } from "@/lib/org";
import { useOrganisation } from "../api/get-org";
import { Close, Leave, Restore, Transfer } from "../danger";
import { General } from "../general";
import { Plan } from "../plan";

export function OrganisationPage() {
  const org = useOrg();
  const found = useOrganisation();
  // A role may be to leave and no more.
  if (!org.can("org.read")) return <Leave />;
  if (found.error && !found.data) return <Failure error={found.error} retry={() => void found.refetch()} />;
  if (!found.data) return <Loading lines={10} />;
  const { value, etag } = found.data;
  const closing = value.status === "closing";
  return (
    <Stack gap="lg">
      {closing && org.can("org.close") && <Restore of={value} />}
      <General of={value} etag={etag} key={etag} />
      <Plan />
      {org.can("org.transfer") && !closing && <Transfer />}
      <Leave />
      {org.can("org.close") && !closing && <Close of={value} />}
    </Stack>
  );
}
