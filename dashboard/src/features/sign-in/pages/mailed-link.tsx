/** The pages that links in mails lead to. Nothing happens before a click: programs that look through mails open links, too. */
import { Alert, Button } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { ButtonLink } from "@/components/links";
import { Failure } from "@/components/states";
import { ApiError } from "@/lib/api/error";
import { forgetMailedToken, mailedToken } from "@/lib/session/mailed-token";
import { useWords } from "@/lib/words/words";
import { DEEDS, type Deed } from "../api/follow-link";
import { SignInFrame } from "../sign-in-frame";
import { signIn } from "../words";

function MailedLinkPage({ deed }: { deed: Deed }) {
  const words = useWords(signIn);
  const said = words.links[deed];
  const [token] = useState(mailedToken);
  const follow = useMutation<unknown, Error>({
    mutationFn: () => DEEDS[deed](token ?? ""),
    onSuccess: forgetMailedToken,
    meta: { quiet: true },
  });
  const isVoid = follow.error instanceof ApiError && follow.error.status < 500 && follow.error.status >= 400;
  return (
    <SignInFrame title={said.title} text={follow.isSuccess ? undefined : said.text}>
      {follow.isSuccess ? (
        <>
          <Alert color="door" variant="light" role="status">
            {said.done}
          </Alert>
          <ButtonLink to={deed === "undo" ? "/forgot-password" : "/login"}>
            {deed === "undo" ? words.forgotTitle : words.title}
          </ButtonLink>
        </>
      ) : token ? (
        <>
          {follow.error &&
            (isVoid ? (
              <Alert color="red" variant="light" role="alert">
                {words.linkVoid}
              </Alert>
            ) : (
              <Failure error={follow.error} />
            ))}
          <Button size="md" loading={follow.isPending} onClick={() => follow.mutate()}>
            {said.deed}
          </Button>
        </>
      ) : (
        <Alert color="red" variant="light" role="alert">
          {words.noToken}
        </Alert>
      )}
    </SignInFrame>
  );
}

export const VerifyEmailPage = () => <MailedLinkPage deed="verify" />;
export const ConfirmEmailPage = () => <MailedLinkPage deed="email" />;
export const UndoEmailPage = () => <MailedLinkPage deed="undo" />;
export const KeepAccountPage = () => <MailedLinkPage deed="keep" />;
export const ConfirmJoiningPage = () => <MailedLinkPage deed="joining" />;
export const ConfirmDomainPage = () => <MailedLinkPage deed="domain" />;
