import { Button, PasswordInput, Stack, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useQueryClient } from "@tanstack/react-query";
import { useRouter, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { TextLink } from "@/components/links";
import { Failure } from "@/components/states";
import { useSending } from "@/lib/forms";
import { shared } from "@/lib/words/shared";
import { useWords } from "@/lib/words/words";
import { signUp } from "../api/sign-up";
import { MailSent } from "../mail-sent";
import { safeNext } from "../next";
import { SignInFrame } from "../sign-in-frame";
import { signIn } from "../words";

export function SignUpPage() {
  const words = useWords(signIn);
  const common = useWords(shared);
  const router = useRouter();
  const queries = useQueryClient();
  const { next }: { next?: string } = useSearch({ strict: false });
  const [mailedTo, setMailedTo] = useState<string>();
  const form = useForm({
    initialValues: { name: "", email: "", organization_name: "", password: "" },
    validate: {
      name: (value) => (value.trim() ? null : common.errors.required),
      email: (value) => (/.@./.test(value) ? null : common.errors.mail),
      password: (value) => (value.length >= 12 ? null : words.passwordShort),
    },
  });
  const sending = useSending(
    form,
    ({ name, email, organization_name, password }) =>
      signUp({
        name: name.trim(),
        email: email.trim(),
        password,
        ...(organization_name.trim() ? { organization_name: organization_name.trim() } : {}),
      }),
    (outcome, values) => {
      if (outcome === "mailed") {
        setMailedTo(values.email);
        return;
      }
      queries.clear();
      router.history.replace(safeNext(next));
    },
  );

  if (mailedTo) return <MailSent email={mailedTo} verification />;

  return (
    <SignInFrame title={words.signUpTitle} text={words.signUpText}>
      <form onSubmit={sending.submit} noValidate>
        <Stack>
          <TextInput label={words.yourName} autoComplete="name" autoFocus {...form.getInputProps("name")} />
          <TextInput label={common.email} type="email" autoComplete="username" {...form.getInputProps("email")} />
          <TextInput
            label={`${words.organisation} (${common.optional})`}
            description={words.organisationHint}
            autoComplete="organization"
            {...form.getInputProps("organization_name")}
          />
          <PasswordInput
            label={common.password}
            description={words.passwordHint}
            autoComplete="new-password"
            {...form.getInputProps("password")}
          />
          {sending.error != null && <Failure error={sending.error} />}
          <Button type="submit" loading={sending.pending} fullWidth size="md">
            {words.createAccount}
          </Button>
        </Stack>
      </form>
      <Text size="sm" ta="center">
        {words.haveAccount}{" "}
        <TextLink to="/login" search={next ? { next } : {}} size="sm" underline="always">
          {words.title}
        </TextLink>
      </Text>
    </SignInFrame>
  );
}
