/** What the person says to an answer: good or bad, a comment, what would have been right; and how that becomes knowledge. */
import { ActionIcon, Alert, Button, Group, Modal, Select, Stack, Text, Textarea, Tooltip } from "@mantine/core";
import { useForm } from "@mantine/form";
import { IconMessage2, IconThumbDown, IconThumbUp } from "@tabler/icons-react";
import { useState } from "react";
import { FormEnd } from "@/components/form";
import { useDraft } from "@/lib/drafts";
import { useSending } from "@/lib/forms";
import { useOrg } from "@/lib/org";
import { told } from "@/lib/toast";
import { shared } from "@/lib/words/shared";
import { useWords } from "@/lib/words/words";
import { useApproveCorrection } from "./api/approve-correction";
import { useCollections } from "./api/list-collections";
import type { Message } from "./api/list-messages";
import { useRateAnswer } from "./api/rate-answer";
import { asking } from "./words";

export function Rate({ of }: { of: Message }) {
  const words = useWords(asking);
  const rate = useRateAnswer(of);
  const [saying, setSaying] = useState(false);
  const said = (rating: 1 | -1) => {
    const next = of.rating === rating ? null : rating;
    rate.mutate({ rating: next, comment: of.comment ?? null, correction: of.correction ?? null });
    if (next === -1) setSaying(true);
  };
  return (
    <>
      <Group gap={2} wrap="nowrap">
        {(
          [
            [1, words.good, IconThumbUp, "door"],
            [-1, words.bad, IconThumbDown, "red"],
          ] as const
        ).map(([rating, label, Picture, color]) => (
          <Tooltip key={rating} label={label}>
            <ActionIcon
              variant={of.rating === rating ? "light" : "subtle"}
              color={of.rating === rating ? color : "gray"}
              aria-label={label}
              aria-pressed={of.rating === rating}
              disabled={rate.isPending}
              onClick={() => said(rating)}
            >
              <Picture size={17} aria-hidden />
            </ActionIcon>
          </Tooltip>
        ))}
        <Tooltip label={words.comment}>
          <ActionIcon variant="subtle" color="gray" aria-label={words.comment} onClick={() => setSaying(true)}>
            <IconMessage2 size={17} aria-hidden />
          </ActionIcon>
        </Tooltip>
      </Group>
      <Modal opened={saying} onClose={() => setSaying(false)} title={words.feedback.title} size="lg">
        <FeedbackForm of={of} close={() => setSaying(false)} />
      </Modal>
    </>
  );
}

function FeedbackForm({ of, close }: { of: Message; close: () => void }) {
  const words = useWords(asking);
  const rate = useRateAnswer(of);
  const form = useForm({ initialValues: { comment: of.comment ?? "", correction: of.correction ?? "" } });
  const draft = useDraft(form, `feedback-${of.id}`, { onto: form.getInitialValues() });
  const sending = useSending(
    form,
    ({ comment, correction }) =>
      rate.mutateAsync({
        rating: of.rating ?? null,
        comment: comment.trim() || null,
        correction: correction.trim() || null,
      }),
    draft.ending(() => {
      told(words.feedback.done);
      close();
    }),
  );
  return (
    <form onSubmit={sending.submit} noValidate>
      <Stack>
        <Textarea
          label={words.feedback.comment}
          autosize
          minRows={2}
          maxRows={6}
          maxLength={2000}
          data-autofocus
          {...form.getInputProps("comment")}
        />
        <Textarea
          label={words.feedback.correction}
          description={words.feedback.correctionHint}
          autosize
          minRows={3}
          maxRows={12}
          maxLength={20_000}
          {...form.getInputProps("correction")}
        />
        <FormEnd sending={sending} draft={draft} deed={words.feedback.send} onCancel={draft.ending(close)} />
      </Stack>
    </form>
  );
}

/** What was said to an answer, for those who may read it. */
export function Said({ of }: { of: Message }) {
  const words = useWords(asking);
  const org = useOrg();
  const [approving, setApproving] = useState(false);
  if (!of.comment && !of.correction) return null;
  return (
    <Alert color="gray" variant="light" p="sm">
      <Stack gap="xs" align="flex-start">
        {of.comment && <Quote label={words.feedback.yourComment} text={of.comment} />}
        {of.correction && <Quote label={words.feedback.yourCorrection} text={of.correction} />}
        {of.correction && org.can("knowledge.manage") && (
          <Button size="xs" variant="default" onClick={() => setApproving(true)}>
            {words.feedback.approve}
          </Button>
        )}
      </Stack>
      <Modal opened={approving} onClose={() => setApproving(false)} title={words.approve.title} size="lg">
        <ApproveForm of={of} close={() => setApproving(false)} />
      </Modal>
    </Alert>
  );
}

function Quote({ label, text }: { label: string; text: string }) {
  return (
    <div>
      <Text size="xs" c="dimmed">
        {label}
      </Text>
      <Text size="sm" style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}>
        {text}
      </Text>
    </div>
  );
}

function ApproveForm({ of, close }: { of: Message; close: () => void }) {
  const words = useWords(asking);
  const common = useWords(shared);
  const approve = useApproveCorrection(of);
  const collections = useCollections(undefined);
  const form = useForm({
    initialValues: { collection_id: "", text: of.correction ?? "" },
    validate: {
      collection_id: (value) => (value ? null : common.errors.required),
      text: (value) => (value.trim() ? null : common.errors.required),
    },
  });
  const sending = useSending(
    form,
    ({ collection_id, text }) => approve.mutateAsync({ collection_id, text: text.trim() }),
    () => {
      told(words.approve.done);
      close();
    },
  );
  return (
    <form onSubmit={sending.submit} noValidate>
      <Stack>
        <Text size="sm">{words.approve.text}</Text>
        <Select
          label={words.approve.collection}
          required
          searchable
          data={(collections.data?.data ?? []).map(({ id, name }) => ({ value: id, label: name }))}
          {...form.getInputProps("collection_id")}
        />
        <Textarea
          label={words.approve.correction}
          required
          autosize
          minRows={3}
          maxRows={12}
          maxLength={20_000}
          {...form.getInputProps("text")}
        />
        <FormEnd sending={sending} deed={words.feedback.approve} onCancel={close} />
      </Stack>
    </form>
  );
}
