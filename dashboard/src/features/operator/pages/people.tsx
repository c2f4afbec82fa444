import { Badge, Button, Menu, Modal, Stack, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useDebouncedCallback, useDisclosure } from "@mantine/hooks";
import { IconPlus, IconSearch, IconUsers } from "@tabler/icons-react";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useConfirm } from "@/components/confirm";
import { type Column, DataTable } from "@/components/data-table";
import { State, Who } from "@/components/facts";
import { FormEnd } from "@/components/form";
import { Page } from "@/components/page";
import { RowMenu } from "@/components/row-menu";
import { Empty } from "@/components/states";
import { useFormat } from "@/lib/format";
import { useSending } from "@/lib/forms";
import { current } from "@/lib/session/session";
import { told } from "@/lib/toast";
import { shared } from "@/lib/words/shared";
import { useWords } from "@/lib/words/words";
import { type Person, usePeople, usePersonDeeds } from "../api/people";
import { operator } from "../words";

/** Milliseconds to wait for the next letter. */
const TYPING = 350;

export function OperatorPeoplePage() {
  const words = useWords(operator);
  const { email } = useSearch({ from: "/operator/people" });
  const navigate = useNavigate({ from: "/operator/people" });
  const list = usePeople(email);
  const [enrolling, { open, close }] = useDisclosure(false);
  const typed = useDebouncedCallback(
    (text: string) => void navigate({ search: { email: text.trim() || undefined }, replace: true }),
    TYPING,
  );
  return (
    <Page
      title={words.people}
      intro={words.peopleIntro}
      help={<p>{words.peopleHelp}</p>}
      actions={
        <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={open}>
          {words.enrol}
        </Button>
      }
    >
      <TextInput
        mb="md"
        maw={360}
        type="search"
        label={words.peopleSearch}
        leftSection={<IconSearch size={16} aria-hidden />}
        defaultValue={email ?? ""}
        onChange={(event) => typed(event.currentTarget.value)}
      />
      <DataTable
        label={words.people}
        list={list}
        columns={useColumns()}
        rowKey={(person) => person.id}
        empty={<Empty icon={IconUsers} title={words.people} text={words.peopleNone} />}
      />
      <Modal opened={enrolling} onClose={close} title={words.enrol}>
        <EnrolForm done={close} />
      </Modal>
    </Page>
  );
}

function useColumns(): Column<Person>[] {
  const words = useWords(operator);
  const common = useWords(shared);
  const format = useFormat();
  return [
    { header: words.person, cell: (person) => <Who name={person.name} email={person.email} /> },
    {
      header: words.status,
      cell: (person) =>
        person.ends_at ? (
          <div>
            <State color="gray">{words.standings.deleting}</State>
            <Text size="xs" c="dimmed">
              {words.closes(format.date(person.ends_at))}
            </Text>
          </div>
        ) : (
          <State color={person.standing === "active" ? "green" : "red"}>{words.standings[person.standing]}</State>
        ),
    },
    { header: words.verified, cell: (person) => (person.verified_at ? words.yes : words.unverified) },
    { header: words.factor, cell: (person) => (person.second_factor ? words.yes : words.no) },
    {
      header: words.created,
      cell: (person) => (
        <div>
          {format.date(person.created_at)}{" "}
          {person.operator && (
            <Badge size="sm" variant="light" tt="none">
              {words.isOperator}
            </Badge>
          )}
        </div>
      ),
    },
    { header: common.actions, kind: "actions", cell: (person) => <Actions of={person} /> },
  ];
}

function Actions({ of }: { of: Person }) {
  const words = useWords(operator);
  const confirm = useConfirm();
  const { stand, remove } = usePersonDeeds();
  // Nobody locks themselves out from here.
  if (of.id === current()?.user.id || of.ends_at) return null;
  const suspend = async () => {
    const meant = await confirm({
      title: words.suspendPersonTitle(of.name),
      text: words.suspendPersonText,
      deed: words.suspendPerson,
    });
    if (meant) stand.mutate({ id: of.id, standing: "suspended" });
  };
  const erase = async () => {
    const meant = await confirm({
      title: words.deletePersonTitle(of.name),
      text: words.deletePersonText,
      deed: words.deletePerson,
      typed: of.email,
    });
    if (meant) remove.mutate(of.id);
  };
  return (
    <RowMenu of={of.name} busy={stand.isPending || remove.isPending}>
      {of.standing === "active" ? (
        <Menu.Item color="red" onClick={() => void suspend()}>
          {words.suspendPerson}
        </Menu.Item>
      ) : (
        <Menu.Item onClick={() => stand.mutate({ id: of.id, standing: "active" })}>{words.restorePerson}</Menu.Item>
      )}
      <Menu.Item color="red" onClick={() => void erase()}>
        {words.deletePerson}
      </Menu.Item>
    </RowMenu>
  );
}

function EnrolForm({ done }: { done: () => void }) {
  const words = useWords(operator);
  const common = useWords(shared);
  const { enrol } = usePersonDeeds();
  const form = useForm({
    initialValues: { name: "", email: "", organization_name: "" },
    validate: {
      name: (value) => (value.trim() ? null : common.errors.required),
      email: (value) => (/^\S+@\S+$/.test(value.trim()) ? null : common.errors.mail),
    },
  });
  const sending = useSending(
    form,
    ({ name, email, organization_name }) =>
      enrol.mutateAsync({
        name: name.trim(),
        email: email.trim(),
        ...(organization_name.trim() ? { organization_name: organization_name.trim() } : {}),
      }),
    (made) => {
      told(words.enrolled(made.name));
      done();
    },
  );
  return (
    <form onSubmit={sending.submit} noValidate>
      <Stack>
        <Text size="sm">{words.enrolText}</Text>
        <TextInput label={words.enrolName} data-autofocus required {...form.getInputProps("name")} />
        <TextInput label={words.enrolMail} type="email" required {...form.getInputProps("email")} />
        <TextInput
          label={`${words.enrolOrg} (${common.optional})`}
          description={words.enrolOrgHint}
          {...form.getInputProps("organization_name")}
        />
        <FormEnd sending={sending} deed={words.enrol} onCancel={done} />
      </Stack>
    </form>
  );
}
