/** What ends or hands on an organisation. Each asks first, and says what goes. */
import { Button, Stack, Text } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useQueryClient } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import { useConfirm } from "@/components/confirm";
import { FormEnd } from "@/components/form";
import { PersonSelect } from "@/components/pickers";
import { Section } from "@/components/section";
import { useFormat } from "@/lib/format";
import { useSending } from "@/lib/forms";
import { useOrg } from "@/lib/org";
import { usePeople } from "@/lib/roster";
import { told } from "@/lib/toast";
import { useWords } from "@/lib/words/words";
import { useCloseOrg } from "./api/close-org";
import type { Organisation } from "./api/get-org";
import { useLeaveOrg } from "./api/leave-org";
import { useRestoreOrg } from "./api/restore-org";
import { useTransferOrg } from "./api/transfer-org";
import { organisations } from "./words";

export function Transfer() {
  const words = useWords(organisations).danger.transfer;
  const org = useOrg();
  const confirm = useConfirm();
  const transfer = useTransferOrg();
  const { people, find } = usePeople();
  const form = useForm({
    initialValues: { user_id: "" },
    validate: { user_id: (value) => (value ? null : words.required) },
  });
  const sending = useSending(
    form,
    async ({ user_id }) => {
      const name = find(user_id)?.name ?? "";
      const meant = await confirm({
        title: words.question(name),
        text: words.explain,
        deed: words.deed,
        typed: org.name,
      });
      return meant ? transfer.mutateAsync(user_id) : null;
    },
    (owner) => {
      if (!owner) return;
      form.reset();
      told(words.done(owner.name));
    },
  );
  const out = people.filter(({ standing }) => standing !== "active").map(({ user_id }) => user_id);
  return (
    <Section danger title={words.title} text={words.text}>
      {people.length - out.length < 2 ? (
        <Text size="sm">{words.nobody}</Text>
      ) : (
        <form onSubmit={sending.submit} noValidate>
          <Stack maw={420}>
            <PersonSelect label={words.to} without={[org.person.id, ...out]} {...form.getInputProps("user_id")} />
            <FormEnd sending={sending} deed={words.deed} />
          </Stack>
        </form>
      )}
    </Section>
  );
}

export function Leave() {
  const words = useWords(organisations).danger.leave;
  const org = useOrg();
  const confirm = useConfirm();
  const queries = useQueryClient();
  const router = useRouter();
  const leave = useLeaveOrg();
  const { people, isPending } = usePeople();
  const otherOwners = people.some(
    ({ role, standing, user_id }) => role === "owner" && standing === "active" && user_id !== org.person.id,
  );
  const may = org.role !== "owner" || otherOwners;
  const end = async () => {
    if (!(await confirm({ title: words.question(org.name), text: words.text, deed: words.deed }))) return;
    leave.mutate(undefined, {
      onSuccess: () => {
        told(words.done(org.name));
        queries.clear();
        router.history.push("/");
      },
    });
  };
  return (
    <Section
      danger
      title={words.title}
      text={may || isPending ? words.text : words.only}
      action={
        may && (
          <Button color="red" variant="light" loading={leave.isPending} onClick={() => void end()}>
            {words.deed}
          </Button>
        )
      }
    />
  );
}

export function Close({ of }: { of: Organisation }) {
  const words = useWords(organisations).danger.close;
  const format = useFormat();
  const confirm = useConfirm();
  const close = useCloseOrg();
  const end = async () => {
    const meant = await confirm({
      title: words.question(of.name),
      text: words.explain,
      deed: words.deed,
      typed: of.name,
    });
    if (!meant) return;
    close.mutate(of.name, {
      onSuccess: ({ closes_at }) => told(words.done(closes_at ? format.date(closes_at) : "")),
    });
  };
  return (
    <Section
      danger
      title={words.title}
      text={words.text}
      action={
        <Button color="red" variant="light" loading={close.isPending} onClick={() => void end()}>
          {words.deed}
        </Button>
      }
    />
  );
}

export function Restore({ of }: { of: Organisation }) {
  const words = useWords(organisations).danger.restore;
  const format = useFormat();
  const restore = useRestoreOrg();
  return (
    <Section
      danger
      title={words.title}
      text={words.text(of.closes_at ? format.date(of.closes_at) : "")}
      action={
        <Button
          loading={restore.isPending}
          onClick={() => restore.mutate(undefined, { onSuccess: () => told(words.done) })}
        >
          {words.deed}
        </Button>
      }
    />
  );
}
