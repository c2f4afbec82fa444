/** The question for a factor that was shown lately; `lib/session/step-up.ts` says when it is asked. */
import { Modal, PasswordInput, Stack, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { FormEnd } from "@/components/form";
import { ApiError } from "@/lib/api/error";
import { useSending } from "@/lib/forms";
import { useWantedFactor } from "@/lib/session/step-up";
import { shared } from "@/lib/words/shared";
import { useWords } from "@/lib/words/words";
import { stepUp } from "./api/step-up";
import { signIn } from "./words";

export function StepUpDialog() {
  const wanted = useWantedFactor();
  const words = useWords(signIn);
  return (
    <Modal
      opened={wanted !== null}
      onClose={() => wanted?.answer(false)}
      title={words.factor.title}
      // Above the dialog that asked for it.
      zIndex={400}
    >
      {wanted && <Factor done={wanted.answer} />}
    </Modal>
  );
}

function Factor({ done }: { done: (shown: boolean) => void }) {
  const words = useWords(signIn);
  const common = useWords(shared);
  const form = useForm({
    initialValues: { password: "", code: "" },
    validate: { password: (value, { code }) => (value || code.trim() ? null : common.errors.required) },
  });
  const sending = useSending(
    form,
    ({ password, code }) =>
      stepUp({ ...(password ? { password } : {}), ...(code.trim() ? { code: code.trim() } : {}) }),
    () => done(true),
    {
      handle: (error) => {
        if (!(error instanceof ApiError)) return false;
        switch (error.code) {
          case "invalid_credentials":
            form.setFieldError("password", words.wrong);
            return true;
          // There is no session any more that a factor could be shown to; the page of sign-in is on its way.
          case "unauthenticated":
            done(false);
            return true;
          default:
            return false;
        }
      },
    },
  );
  return (
    <form
      onSubmit={(event) => {
        // The form that asked stands around this one in React's tree, though not on the page.
        event.stopPropagation();
        sending.submit(event);
      }}
      noValidate
    >
      <Stack>
        <Text size="sm">{words.factor.text}</Text>
        <PasswordInput
          label={common.password}
          autoComplete="current-password"
          data-autofocus
          {...form.getInputProps("password")}
        />
        <TextInput label={words.factor.code} autoComplete="one-time-code" {...form.getInputProps("code")} />
        <FormEnd sending={sending} deed={words.factor.deed} onCancel={() => done(false)} />
      </Stack>
    </form>
  );
}
