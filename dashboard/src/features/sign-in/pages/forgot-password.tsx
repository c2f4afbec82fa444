import { Button, Stack, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useState } from "react";
import { ButtonLink } from "@/components/links";
import { Failure } from "@/components/states";
import { useSending } from "@/lib/forms";
import { shared } from "@/lib/words/shared";
import { useWords } from "@/lib/words/words";
import { forgotPassword } from "../api/forgot-password";
import { MailSent } from "../mail-sent";
import { SignInFrame } from "../sign-in-frame";
import { signIn } from "../words";

export function ForgotPasswordPage() {
  const words = useWords(signIn);
  const common = useWords(shared);
  const [mailedTo, setMailedTo] = useState<string>();
  const form = useForm({
    initialValues: { email: "" },
    validate: { email: (value) => (/.@./.test(value) ? null : common.errors.mail) },
  });
  const sending = useSending(
    form,
    ({ email }) => forgotPassword(email.trim()),
    (_, { email }) => setMailedTo(email),
  );
  if (mailedTo) return <MailSent email={mailedTo} />;
  return (
    <SignInFrame title={words.forgotTitle} text={words.forgotText}>
      <form onSubmit={sending.submit} noValidate>
        <Stack>
          <TextInput
            label={common.email}
            type="email"
            autoComplete="username"
            autoFocus
            {...form.getInputProps("email")}
          />
          {sending.error != null && <Failure error={sending.error} />}
          <Button type="submit" loading={sending.pending} fullWidth size="md">
            {words.send}
          </Button>
          <ButtonLink to="/login" variant="subtle">
            {words.toSignIn}
          </ButtonLink>
        </Stack>
      </form>
    </SignInFrame>
  );
}
