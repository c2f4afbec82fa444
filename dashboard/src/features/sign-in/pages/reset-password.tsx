import { Alert, Button, PasswordInput, Stack } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useState } from "react";
import { ButtonLink } from "@/components/links";
import { Failure } from "@/components/states";
import { useSending } from "@/lib/forms";
import { forgetMailedToken, mailedToken } from "@/lib/session/mailed-token";
import { useWords } from "@/lib/words/words";
import { resetPassword } from "../api/reset-password";
import { SignInFrame } from "../sign-in-frame";
import { signIn } from "../words";

export function ResetPasswordPage() {
  const words = useWords(signIn);
  const [token] = useState(mailedToken);
  const [done, setDone] = useState(false);
  const form = useForm({
    initialValues: { password: "" },
    validate: { password: (value) => (value.length >= 12 ? null : words.passwordShort) },
  });
  const sending = useSending(
    form,
    ({ password }) => resetPassword(token ?? "", password),
    () => {
      forgetMailedToken();
      setDone(true);
    },
  );
  if (done || !token) {
    return (
      <SignInFrame title={words.resetTitle}>
        <Alert color={done ? "door" : "red"} variant="light" role="status">
          {done ? words.resetDone : words.noToken}
        </Alert>
        <ButtonLink to={done ? "/login" : "/forgot-password"}>{done ? words.title : words.forgotTitle}</ButtonLink>
      </SignInFrame>
    );
  }
  return (
    <SignInFrame title={words.resetTitle} text={words.resetText}>
      <form onSubmit={sending.submit} noValidate>
        <Stack>
          <PasswordInput
            label={words.newPassword}
            description={words.passwordHint}
            autoComplete="new-password"
            autoFocus
            {...form.getInputProps("password")}
          />
          {sending.error != null && <Failure error={sending.error} />}
          <Button type="submit" loading={sending.pending} fullWidth size="md">
            {words.setPassword}
          </Button>
        </Stack>
      </form>
    </SignInFrame>
  );
}
