import { Box, Button, Card, Center, Stack, Text, TextInput, Title } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useRouter } from "@tanstack/react-router";
import { Brand } from "@/components/brand";
import { ButtonLink } from "@/components/links";
import { useTitle } from "@/components/page";
import { Failure } from "@/components/states";
import { useDraft } from "@/lib/drafts";
import { useSending } from "@/lib/forms";
import { shared } from "@/lib/words/shared";
import { useWords } from "@/lib/words/words";
import { useCreateOrg } from "../api/create-org";
import { organisations } from "../words";

export function NewOrganisationPage() {
  const words = useWords(organisations);
  const common = useWords(shared);
  const router = useRouter();
  const create = useCreateOrg();
  const form = useForm({
    initialValues: { name: "" },
    validate: { name: (value) => (value.trim() ? null : common.errors.required) },
  });
  const draft = useDraft(form, "new-organisation");
  const sending = useSending(
    form,
    ({ name }) => create.mutateAsync({ name: name.trim() }),
    (made) => {
      draft.forget();
      router.history.push(`/o/${made.id}`);
    },
  );
  useTitle(words.title);
  return (
    <Center component="main" mih="100dvh" p="md">
      <Box w="100%" maw={440}>
        <Brand />
        <Card mt="xl">
          <Title order={1}>{words.title}</Title>
          <Text size="sm" c="dimmed" mt={6} mb="lg">
            {words.text}
          </Text>
          <form onSubmit={sending.submit} noValidate>
            <Stack>
              <TextInput label={words.name} autoComplete="organization" autoFocus {...form.getInputProps("name")} />
              {sending.error != null && <Failure error={sending.error} />}
              <Button type="submit" loading={sending.pending} fullWidth size="md">
                {words.deed}
              </Button>
              <ButtonLink to="/" variant="subtle">
                {words.back}
              </ButtonLink>
            </Stack>
          </form>
        </Card>
      </Box>
    </Center>
  );
}
