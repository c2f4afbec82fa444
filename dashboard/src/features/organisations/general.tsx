import { Badge, Select, Stack, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { FormEnd } from "@/components/form";
import { Section } from "@/components/section";
import { useFormat } from "@/lib/format";
import { useSending } from "@/lib/forms";
import { useOrg } from "@/lib/org";
import { useRenamed } from "@/lib/renamed";
import { told } from "@/lib/toast";
import { shared } from "@/lib/words/shared";
import { useWords } from "@/lib/words/words";
import type { Organisation } from "./api/get-org";
import { useUpdateOrg } from "./api/update-org";
import { organisations } from "./words";

export function General({ of, etag }: { of: Organisation; etag: string | undefined }) {
  const words = useWords(organisations).general;
  const common = useWords(shared);
  const format = useFormat();
  const org = useOrg();
  const renamed = useRenamed();
  const update = useUpdateOrg();
  const form = useForm({
    initialValues: { name: of.name, time_zone: of.time_zone },
    validate: { name: (value) => (value.trim() ? null : common.errors.required) },
  });
  const sending = useSending(
    form,
    ({ name, time_zone }) => update.mutateAsync({ etag, name: name.trim(), time_zone }),
    (changed) => {
      told(words.saved);
      renamed(changed);
    },
  );
  const may = org.can("org.update");
  const zones = [...new Set([of.time_zone, "UTC", ...Intl.supportedValuesOf("timeZone")])];
  return (
    <Section
      title={words.title}
      text={words.text}
      action={
        <Badge variant="default" tt="none" fw={500}>
          {words.made(format.date(of.created_at))}
        </Badge>
      }
    >
      {may ? (
        <form onSubmit={sending.submit} noValidate>
          <Stack maw={420}>
            <TextInput label={words.name} autoComplete="off" {...form.getInputProps("name")} />
            <Select
              label={words.zone}
              description={words.zoneHint}
              searchable
              limit={100}
              allowDeselect={false}
              data={zones}
              {...form.getInputProps("time_zone")}
            />
            <FormEnd sending={sending} deed={common.save} />
          </Stack>
        </form>
      ) : (
        <Text size="sm">
          <bdi>{of.name}</bdi>, {of.time_zone}
        </Text>
      )}
    </Section>
  );
}
