import { Button, Stack } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { ButtonLink } from "@/components/links";
import { told } from "@/lib/toast";
import { useWords } from "@/lib/words/words";
import { resendVerification } from "./api/resend-verification";
import { SignInFrame } from "./sign-in-frame";
import { signIn } from "./words";

/** What is said after a mail was sent: the same for every address. */
export function MailSent({ email, verification = false }: { email: string; verification?: boolean }) {
  const words = useWords(signIn);
  const resend = useMutation({ mutationFn: () => resendVerification(email), onSuccess: () => told(words.resent) });
  return (
    <SignInFrame title={words.mailTitle} text={words.mailText(email)}>
      <Stack>
        {verification && (
          <Button variant="default" loading={resend.isPending} onClick={() => resend.mutate()}>
            {words.resend}
          </Button>
        )}
        <ButtonLink to="/login" variant="subtle">
          {words.toSignIn}
        </ButtonLink>
      </Stack>
    </SignInFrame>
  );
}
