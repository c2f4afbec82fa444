import { Alert, Button, Text } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import { useState } from "react";
import { ButtonLink } from "@/components/links";
import { Failure, Loading } from "@/components/states";
import { forgetMailedToken, mailedToken } from "@/lib/session/mailed-token";
import { useSession } from "@/lib/session/session";
import { useSignOut } from "@/lib/session/sign-out";
import { useWords } from "@/lib/words/words";
import { acceptInvitation, invitationQuery } from "../api/invitation";
import { SignInFrame } from "../sign-in-frame";
import { signIn } from "../words";

const HERE = "/invitations/accept";

export function AcceptInvitationPage() {
  const words = useWords(signIn);
  const session = useSession();
  const leave = useSignOut();
  const queries = useQueryClient();
  const router = useRouter();
  const [token] = useState(mailedToken);
  const invitation = useQuery({ ...invitationQuery(token ?? ""), enabled: token !== undefined });
  const accept = useMutation({
    mutationFn: () => acceptInvitation(token ?? ""),
    onSuccess: (organisation) => {
      if (!organisation) return;
      forgetMailedToken();
      // Not the preview, which would be asked for again and is void.
      queries.removeQueries({ queryKey: ["me"] });
      router.history.replace(`/o/${organisation.id}`);
    },
    meta: { quiet: true },
  });
  if (!token) {
    return (
      <SignInFrame title={words.invitation.accept}>
        <Alert color="red" variant="light" role="alert">
          {words.noToken}
        </Alert>
      </SignInFrame>
    );
  }
  if (!invitation.data) {
    return (
      <SignInFrame title={words.invitation.accept}>
        {invitation.error ? <Failure error={invitation.error} title={words.linkVoid} /> : <Loading />}
      </SignInFrame>
    );
  }
  const { organization, role_name } = invitation.data;
  return (
    <SignInFrame title={words.invitation.title(organization)} text={words.invitation.text(organization, role_name)}>
      {accept.error && <Failure error={accept.error} />}
      {accept.isSuccess && accept.data === null && (
        <Alert color="blue" variant="light" role="status">
          {words.invitation.mailed}
        </Alert>
      )}
      {session ? (
        <>
          <Text size="sm">{words.invitation.as(session.user.email)}</Text>
          <Button size="md" loading={accept.isPending} onClick={() => accept.mutate()}>
            {words.invitation.accept}
          </Button>
          <Button variant="subtle" loading={leave.isPending} onClick={() => leave.mutate()}>
            {words.invitation.other}
          </Button>
        </>
      ) : (
        <>
          <Text size="sm">{words.invitation.first}</Text>
          <ButtonLink to="/signup" search={{ next: HERE }} size="md">
            {words.signUp}
          </ButtonLink>
          <ButtonLink to="/login" search={{ next: HERE }} variant="default" size="md">
            {words.title}
          </ButtonLink>
        </>
      )}
    </SignInFrame>
  );
}
