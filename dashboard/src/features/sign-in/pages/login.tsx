import { Alert, Button, Checkbox, Group, PasswordInput, Stack, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useQueryClient } from "@tanstack/react-query";
import { useRouter, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { TextLink } from "@/components/links";
import { Failure } from "@/components/states";
import { ApiError } from "@/lib/api/error";
import { useSending } from "@/lib/forms";
import { shared } from "@/lib/words/shared";
import { useWords } from "@/lib/words/words";
import { signIn } from "../api/sign-in";
import { safeNext } from "../next";
import { SignInFrame } from "../sign-in-frame";
import { signIn as signInWords } from "../words";

export function LoginPage() {
  const words = useWords(signInWords);
  const common = useWords(shared);
  const router = useRouter();
  const queries = useQueryClient();
  const { next, expired }: { next?: string; expired?: boolean } = useSearch({ strict: false });
  const [needsCode, setNeedsCode] = useState(false);
  const form = useForm({
    initialValues: { email: "", password: "", code: "", remember: false },
    validate: {
      email: (value) => (value.trim() ? null : common.errors.required),
      password: (value) => (value ? null : common.errors.required),
      code: (value) => (!needsCode || value.trim() ? null : common.errors.required),
    },
  });
  const sending = useSending(
    form,
    ({ email, password, code, remember }) =>
      signIn({ email: email.trim(), password, remember, ...(needsCode ? { code: code.trim() } : {}) }),
    () => {
      // What was asked as nobody, or as somebody else, counts no more.
      queries.clear();
      router.history.replace(safeNext(next));
    },
    {
      handle: (error) => {
        if (!(error instanceof ApiError)) return false;
        if (error.code === "code_needed") {
          setNeedsCode(true);
          return true;
        }
        if (error.code === "invalid_credentials" && needsCode) {
          form.setFieldError("code", words.wrongCode);
          form.getInputNode("code")?.focus();
          return true;
        }
        return false;
      },
    },
  );
  const wrong = sending.error instanceof ApiError && sending.error.code === "invalid_credentials";

  if (needsCode) {
    return (
      <SignInFrame title={words.codeTitle} text={words.codeText}>
        <form onSubmit={sending.submit} noValidate>
          <Stack>
            <TextInput
              label={words.code}
              autoComplete="one-time-code"
              data-autofocus
              autoFocus
              ff="monospace"
              {...form.getInputProps("code")}
            />
            {sending.error != null && <Failure error={sending.error} />}
            <Button type="submit" loading={sending.pending} fullWidth size="md">
              {words.verify}
            </Button>
            <Button
              variant="subtle"
              onClick={() => {
                setNeedsCode(false);
                form.setValues({ code: "", password: "" });
                sending.clear();
              }}
            >
              {words.back}
            </Button>
          </Stack>
        </form>
      </SignInFrame>
    );
  }

  return (
    <SignInFrame title={words.title} text={expired ? undefined : words.welcome}>
      {expired && (
        <Alert color="blue" variant="light" role="status">
          {words.expired}
        </Alert>
      )}
      <form onSubmit={sending.submit} noValidate>
        <Stack>
          <TextInput
            label={common.email}
            type="email"
            autoComplete="username"
            autoFocus
            {...form.getInputProps("email")}
          />
          <PasswordInput label={common.password} autoComplete="current-password" {...form.getInputProps("password")} />
          <Group justify="space-between">
            <Checkbox label={words.remember} {...form.getInputProps("remember", { type: "checkbox" })} />
            <TextLink to="/forgot-password" size="sm">
              {words.forgot}
            </TextLink>
          </Group>
          {sending.error != null &&
            (wrong ? (
              <Alert color="red" variant="light" role="alert">
                {words.wrong}
              </Alert>
            ) : (
              <Failure error={sending.error} />
            ))}
          <Button type="submit" loading={sending.pending} fullWidth size="md">
            {words.title}
          </Button>
        </Stack>
      </form>
      <Text size="sm" ta="center">
        {words.noAccount}{" "}
        <TextLink to="/signup" search={next ? { next } : {}} size="sm" underline="always">
          {words.signUp}
        </TextLink>
      </Text>
    </SignInFrame>
  );
}
