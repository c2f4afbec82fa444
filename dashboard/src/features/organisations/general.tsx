import { Badge, Select, Stack, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { FormEnd } from "@/components/form";
import { Section } from "@/components/section";
import { useFormat } from "@/lib/format";
import { useSending } from "@/lib/forms";
import { addressOf, useOrg } from "@/lib/org";
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
  const navigate = useNavigate();
  const queries = useQueryClient();
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
      // What stands for it in addresses comes from its name.
      queries.removeQueries({ queryKey: ["me"] });
      const siblings = org.siblings.map((other) => (other.id === changed.id ? { ...other, ...changed } : other));
      void navigate({
        to: "/o/$org/settings/organisation",
        params: { org: addressOf(changed, siblings) },
        replace: true,
      });
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
