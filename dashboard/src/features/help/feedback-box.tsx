import { Box, Card, Group, SegmentedControl, Stack, Text, Textarea, Title } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useId } from "react";
import { FormEnd } from "@/components/form";
import { useDraft } from "@/lib/drafts";
import { useSending } from "@/lib/forms";
import { told } from "@/lib/toast";
import { shared } from "@/lib/words/shared";
import { useWords } from "@/lib/words/words";
import { useAbout, useGiveFeedback } from "./api/feedback";
import { help } from "./words";

/** As many characters as the API takes. */
const MOST = 4000;
const SCORES = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10"];

/** A word to those who run the installation, where they want to hear one. */
export function FeedbackBox() {
  const about = useAbout();
  return about.data?.feedback ? <FeedbackForm /> : null;
}

function FeedbackForm() {
  const words = useWords(help).feedback;
  const common = useWords(shared);
  const give = useGiveFeedback();
  const id = useId();
  const form = useForm({
    initialValues: { text: "", score: "" },
    validate: {
      text: (value) =>
        !value.trim() ? common.errors.required : value.length > MOST ? common.errors.tooLong(MOST) : null,
    },
  });
  const draft = useDraft(form, "feedback");
  const sending = useSending(
    form,
    ({ text, score }) =>
      give.mutateAsync({
        text: text.trim(),
        ...(score === "" ? {} : { score: Number(score) }),
      }),
    () => {
      draft.forget();
      form.setValues({ text: "", score: "" });
      told(words.sent);
    },
  );
  return (
    <Card component="section" aria-label={words.title}>
      <Title order={2}>{words.title}</Title>
      <Text size="sm" c="dimmed" mt={2} mb="md">
        {words.text}
      </Text>
      <form onSubmit={sending.submit} noValidate>
        <Stack>
          <Box>
            <Group justify="space-between" mb={6} gap={4}>
              <Text size="sm" fw={500} id={id}>
                {words.score} ({common.optional})
              </Text>
              <Text size="xs" c="dimmed">
                {words.scoreHint}
              </Text>
            </Group>
            <SegmentedControl
              aria-labelledby={id}
              size="xs"
              fullWidth
              data={SCORES}
              value={form.values.score}
              onChange={(score) => form.setFieldValue("score", score)}
              styles={{ label: { paddingInline: 0 } }}
            />
          </Box>
          <Textarea label={words.words} autosize minRows={3} maxRows={12} {...form.getInputProps("text")} />
          <FormEnd sending={sending} draft={draft} deed={words.send} />
        </Stack>
      </form>
    </Card>
  );
}
