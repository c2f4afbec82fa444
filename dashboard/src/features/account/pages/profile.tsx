import { Button, Group, PasswordInput, Stack, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useQueryClient } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import { useState } from "react";
import { useConfirm } from "@/components/confirm";
import { RoleName, State } from "@/components/facts";
import { FormEnd } from "@/components/form";
import { Section } from "@/components/section";
import { Failure, Loading } from "@/components/states";
import type { Schemas } from "@/lib/api/client";
import { useDraft } from "@/lib/drafts";
import { useFormat } from "@/lib/format";
import { useSending } from "@/lib/forms";
import { useOrg } from "@/lib/org";
import { ended } from "@/lib/session/session";
import { told } from "@/lib/toast";
import { shared } from "@/lib/words/shared";
import { useWords } from "@/lib/words/words";
import { useChangeEmail } from "../api/change-email";
import { useDeleteAccount } from "../api/delete-account";
import { useProfile } from "../api/get-profile";
import { useJoinOrg } from "../api/join-org";
import { useLinkNotion } from "../api/link-notion";
import { useConnections } from "../api/list-connections";
import { useJoinable } from "../api/list-joinable";
import { useUnlinkNotion } from "../api/unlink-notion";
import { useUpdateProfile } from "../api/update-profile";
import { account } from "../words";

type Profile = Schemas["ProfileHere"];

export function ProfilePage() {
  const profile = useProfile();
  if (profile.error && !profile.data) {
    return <Failure error={profile.error} retry={() => void profile.refetch()} />;
  }
  if (!profile.data) return <Loading lines={8} />;
  const { value, etag } = profile.data;
  return (
    <Stack gap="lg">
      <NameSection of={value} etag={etag} key={etag} />
      <EmailSection of={value} />
      <JoinSection />
      <NotionSection />
      <DeleteSection of={value} />
    </Stack>
  );
}

function NameSection({ of, etag }: { of: Profile; etag: string | undefined }) {
  const words = useWords(account);
  const common = useWords(shared);
  const update = useUpdateProfile();
  const form = useForm({
    initialValues: { name: of.name },
    validate: { name: (value) => (value.trim() ? null : common.errors.required) },
  });
  const draft = useDraft(form, "profile", { onto: form.getInitialValues() });
  const sending = useSending(
    form,
    ({ name }) => update.mutateAsync({ etag, name: name.trim() }),
    draft.ending(() => told(words.profile.saved)),
  );
  return (
    <Section title={words.profile.title} text={words.profile.text}>
      <form onSubmit={sending.submit} noValidate>
        <Stack maw={420}>
          <TextInput label={words.profile.name} autoComplete="name" {...form.getInputProps("name")} />
          <FormEnd sending={sending} draft={draft} deed={common.save} />
        </Stack>
      </form>
    </Section>
  );
}

function EmailSection({ of }: { of: Profile }) {
  const words = useWords(account);
  const common = useWords(shared);
  const change = useChangeEmail();
  const [sent, setSent] = useState<string>();
  const form = useForm({
    initialValues: { email: "" },
    validate: {
      email: (value) =>
        !value.trim() ? common.errors.required : /^\S+@\S+$/.test(value.trim()) ? null : common.errors.mail,
    },
  });
  const draft = useDraft(form, "email");
  const sending = useSending(
    form,
    ({ email }) => change.mutateAsync(email.trim()),
    draft.ending((_, { email }) => {
      setSent(email.trim());
      form.reset();
    }),
  );
  return (
    <Section title={words.email.title} text={words.email.text}>
      <Stack maw={420}>
        <Group gap="xs">
          <Text size="sm" fw={550} style={{ overflowWrap: "anywhere" }}>
            {of.email}
          </Text>
          <State color={of.verified ? "green" : "yellow"}>
            {of.verified ? words.email.verified : words.email.unverified}
          </State>
        </Group>
        {sent && (
          <Text size="sm" role="status">
            {words.email.sent(sent)}
          </Text>
        )}
        <form onSubmit={sending.submit} noValidate>
          <Stack>
            <TextInput label={words.email.next} type="email" autoComplete="email" {...form.getInputProps("email")} />
            <FormEnd sending={sending} draft={draft} deed={words.email.change} />
          </Stack>
        </form>
      </Stack>
    </Section>
  );
}

/** Nothing where there is nothing to join. */
function JoinSection() {
  const words = useWords(account);
  const common = useWords(shared);
  const queries = useQueryClient();
  const router = useRouter();
  const joinable = useJoinable();
  const join = useJoinOrg();
  const found = joinable.data?.data ?? [];
  if (found.length === 0) return null;
  const roleName = (role: string) =>
    role in common.roles ? common.roles[role as keyof typeof common.roles] : common.roles.custom;
  return (
    <Section title={words.join.title} text={words.join.text}>
      <Stack gap="sm">
        {found.map(({ org_id, name, role }) => (
          <Group key={org_id} justify="space-between">
            <Group gap="xs">
              <Text size="sm" fw={550}>
                <bdi>{name}</bdi>
              </Text>
              <RoleName role={role} />
            </Group>
            <Button
              size="xs"
              loading={join.isPending}
              aria-label={`${words.join.deed}: ${name} ${words.join.as(roleName(role))}`}
              onClick={() =>
                join.mutate(org_id, {
                  onSuccess: () => {
                    queries.removeQueries({ queryKey: ["me"] });
                    router.history.push(`/o/${org_id}`);
                  },
                })
              }
            >
              {words.join.deed}
            </Button>
          </Group>
        ))}
      </Stack>
    </Section>
  );
}

function NotionSection() {
  const words = useWords(account);
  const common = useWords(shared);
  const org = useOrg();
  const confirm = useConfirm();
  const connections = useConnections();
  const link = useLinkNotion();
  const unlink = useUnlinkNotion();
  const form = useForm({
    initialValues: { token: "" },
    validate: { token: (value) => (value.trim() ? null : common.errors.required) },
  });
  const sending = useSending(
    form,
    ({ token }) => link.mutateAsync(token.trim()),
    () => form.reset(),
  );
  const notion = connections.data?.data.find(({ kind }) => kind === "notion");
  const cut = async () => {
    const { cutTitle: title, cutText: text, cut: deed, cutDone } = words.notion;
    if (await confirm({ title, text, deed })) unlink.mutate(undefined, { onSuccess: () => told(cutDone) });
  };
  const mayWrite = org.can("config.write");
  if (connections.isSuccess && !notion) return null;
  return (
    <Section
      title={words.notion.title}
      text={words.notion.text}
      action={
        notion && (
          <State color={notion.linked ? "green" : "gray"}>
            {notion.linked
              ? notion.workspace
                ? words.notion.linkedTo(notion.workspace)
                : words.notion.linked
              : words.notion.notLinked}
          </State>
        )
      }
    >
      {connections.error ? (
        <Failure error={connections.error} retry={() => void connections.refetch()} />
      ) : !notion ? (
        <Loading lines={2} />
      ) : (
        mayWrite && (
          <form onSubmit={sending.submit} noValidate>
            <Stack maw={420}>
              <PasswordInput label={words.notion.token} autoComplete="off" {...form.getInputProps("token")} />
              <FormEnd sending={sending} deed={notion.linked ? words.notion.replace : words.notion.connect} />
              {notion.linked && (
                <Group justify="flex-end">
                  <Button variant="subtle" color="red" loading={unlink.isPending} onClick={() => void cut()}>
                    {words.notion.cut}
                  </Button>
                </Group>
              )}
            </Stack>
          </form>
        )
      )}
    </Section>
  );
}

function DeleteSection({ of }: { of: Profile }) {
  const words = useWords(account);
  const format = useFormat();
  const confirm = useConfirm();
  const router = useRouter();
  const queries = useQueryClient();
  const remove = useDeleteAccount();
  const end = async () => {
    const { question: title, explain: text, deed, done, closing } = words.remove;
    if (!(await confirm({ title, text, deed, typed: of.email }))) return;
    remove.mutate(undefined, {
      onSuccess: (left) => {
        const more = left.closing.length > 0 ? ` ${closing(left.closing.length)}` : "";
        told(`${done(format.date(left.ends_at))}${more}`);
        ended();
        queries.clear();
        router.history.push("/login");
      },
    });
  };
  return (
    <Section
      danger
      title={words.remove.title}
      text={words.remove.text}
      action={
        <Button color="red" variant="light" loading={remove.isPending} onClick={() => void end()}>
          {words.remove.deed}
        </Button>
      }
    />
  );
}
