import { NumberInput, SimpleGrid, Stack } from "@mantine/core";
import { useForm } from "@mantine/form";
import { FormEnd } from "@/components/form";
import { Section } from "@/components/section";
import { Failure, Loading } from "@/components/states";
import type { Schemas } from "@/lib/api/client";
import { useSending } from "@/lib/forms";
import { told } from "@/lib/toast";
import { shared } from "@/lib/words/shared";
import { useWords } from "@/lib/words/words";
import { useLifetimes } from "./api/get-lifetimes";
import { useUpdateLifetimes } from "./api/update-lifetimes";
import { signIns } from "./words";

type Lifetimes = Schemas["Lifetimes"];
const FIELDS = ["session_idle", "session_longest", "access_token", "refresh_idle", "refresh_longest"] as const;
const MINUTE = 60;

export function LifetimesSection() {
  const words = useWords(signIns).lifetimes;
  const { data, error, refetch } = useLifetimes();
  return (
    <Section title={words.title} text={words.text}>
      {error && !data ? (
        <Failure error={error} retry={() => void refetch()} />
      ) : data ? (
        <LifetimesForm of={data.value} etag={data.etag} key={data.etag} />
      ) : (
        <Loading lines={5} />
      )}
    </Section>
  );
}

function LifetimesForm({ of, etag }: { of: Lifetimes; etag: string | undefined }) {
  const words = useWords(signIns).lifetimes;
  const common = useWords(shared);
  const update = useUpdateLifetimes();
  const minutes = (field: (typeof FIELDS)[number]): number | string => {
    const { seconds } = of[field];
    return seconds == null ? "" : seconds / MINUTE;
  };
  const form = useForm<Record<(typeof FIELDS)[number], number | string>>({
    initialValues: {
      session_idle: minutes("session_idle"),
      session_longest: minutes("session_longest"),
      access_token: minutes("access_token"),
      refresh_idle: minutes("refresh_idle"),
      refresh_longest: minutes("refresh_longest"),
    },
  });
  const sending = useSending(
    form,
    (values) =>
      update.mutateAsync({
        etag,
        ...Object.fromEntries(
          FIELDS.map((field) => [field, values[field] === "" ? null : Math.round(Number(values[field]) * MINUTE)]),
        ),
      }),
    () => told(words.saved),
  );
  const span = (seconds: number) => {
    if (seconds % 86_400 === 0) return words.day(seconds / 86_400);
    if (seconds % 3_600 === 0) return words.hour(seconds / 3_600);
    return words.minute(Math.round(seconds / MINUTE));
  };
  return (
    <form onSubmit={sending.submit} noValidate>
      <Stack>
        <SimpleGrid cols={{ base: 1, sm: 2 }}>
          {FIELDS.map((field) => (
            <NumberInput
              key={field}
              label={`${words.fields[field]} (${words.minutes})`}
              description={words.between(span(of[field].min), span(of[field].max))}
              min={1}
              allowDecimal={false}
              placeholder={String(Math.round(of[field].max / MINUTE))}
              {...form.getInputProps(field)}
            />
          ))}
        </SimpleGrid>
        <FormEnd sending={sending} deed={common.save} />
      </Stack>
    </form>
  );
}
