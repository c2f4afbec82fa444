import { Checkbox, Stack, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { FormEnd } from "@/components/form";
import type { Schemas } from "@/lib/api/client";
import { useDraft } from "@/lib/drafts";
import { useSending } from "@/lib/forms";
import { shared } from "@/lib/words/shared";
import { useWords } from "@/lib/words/words";
import { useCreateWebhook } from "./api/create-webhook";
import type { Webhook } from "./api/list-webhooks";
import { useUpdateWebhook } from "./api/update-webhook";
import { webhooks } from "./words";

type EventType = Schemas["EventType"];

/** Makes a webhook; with `of`, changes that one. `made` gets the new one with its secret. */
export function WebhookForm({
  of,
  made,
  done,
}: {
  of?: Webhook;
  made?: (webhook: Schemas["NewWebhook"]) => void;
  done: () => void;
}) {
  const words = useWords(webhooks);
  const common = useWords(shared);
  const create = useCreateWebhook();
  const update = useUpdateWebhook();
  const form = useForm({
    initialValues: {
      url: of?.url ?? "https://",
      description: of?.description ?? "",
      events: of?.events ?? (Object.keys(words.events) as EventType[]),
    },
    validate: {
      url: (value) => (/^https?:\/\/./.test(value.trim()) ? null : common.errors.required),
      events: (value) => (value.length === 0 ? words.form.required : null),
    },
  });
  const draft = useDraft(form, of ? `webhook-${of.id}` : "webhook", { onto: of && form.getInitialValues() });
  const sending = useSending<typeof form.values, Schemas["NewWebhook"] | null>(
    form,
    async ({ url, description, events }) => {
      const body = { url: url.trim(), description: description.trim(), events };
      if (!of) return create.mutateAsync(body);
      await update.mutateAsync({ id: of.id, ...body });
      return null;
    },
    (webhook) => {
      draft.forget();
      if (webhook) made?.(webhook);
      done();
    },
  );
  const stop = () => {
    draft.forget();
    done();
  };
  return (
    <form onSubmit={sending.submit} noValidate>
      <Stack>
        <TextInput
          label={words.form.url}
          description={words.form.urlHint}
          type="url"
          autoComplete="off"
          data-autofocus
          {...form.getInputProps("url")}
        />
        <TextInput
          label={`${words.form.description} (${common.optional})`}
          autoComplete="off"
          {...form.getInputProps("description")}
        />
        <Checkbox.Group label={words.form.events} {...form.getInputProps("events")}>
          <Stack gap="xs" mt={6}>
            {(Object.keys(words.events) as EventType[]).map((event) => (
              <Checkbox key={event} value={event} label={words.events[event]} />
            ))}
          </Stack>
        </Checkbox.Group>
        <FormEnd sending={sending} draft={draft} deed={of ? common.save : words.create} onCancel={stop} />
      </Stack>
    </form>
  );
}
