import { Button, Code, Modal, Stack, Text } from "@mantine/core";
import { IconMail } from "@tabler/icons-react";
import { useState } from "react";
import { type Column, DataTable } from "@/components/data-table";
import { Ago, State } from "@/components/facts";
import { Page } from "@/components/page";
import { Empty, Failure, Loading } from "@/components/states";
import { useFormat } from "@/lib/format";
import { shared } from "@/lib/words/shared";
import { useWords } from "@/lib/words/words";
import { type MailHeading, useMail, useMails } from "../api/installation";
import { operator } from "../words";

export function OperatorMailsPage() {
  const words = useWords(operator);
  const list = useMails();
  const [reading, setReading] = useState<MailHeading>();
  return (
    <Page title={words.mails} intro={words.mailsIntro} help={<p>{words.mailsHelp}</p>}>
      <DataTable
        label={words.mails}
        list={list}
        columns={useColumns(setReading)}
        rowKey={(mail) => mail.id}
        empty={<Empty icon={IconMail} title={words.mailsEmptyTitle} text={words.mailsEmptyText} />}
      />
      <Modal opened={reading !== undefined} onClose={() => setReading(undefined)} title={reading?.subject} size="lg">
        {reading && <Letter id={reading.id} />}
      </Modal>
    </Page>
  );
}

function useColumns(read: (mail: MailHeading) => void): Column<MailHeading>[] {
  const words = useWords(operator);
  const common = useWords(shared);
  const format = useFormat();
  const state = (mail: MailHeading) =>
    mail.failed_at
      ? (["red", "failed"] as const)
      : mail.sent_at
        ? (["green", "sent"] as const)
        : (["gray", "waiting"] as const);
  return [
    {
      header: words.subject,
      cell: (mail) => (
        <Text size="sm" fw={550}>
          <bdi>{mail.subject}</bdi>
        </Text>
      ),
    },
    { header: words.to, cell: (mail) => mail.recipient },
    { header: words.created, cell: (mail) => <Ago time={mail.created_at} /> },
    {
      header: words.status,
      cell: (mail) => {
        const [colour, name] = state(mail);
        return (
          <div>
            <State color={colour}>{words.mailStates[name]}</State>
            {mail.tries > 0 && (
              <Text size="xs" c="dimmed" title={mail.error ?? undefined}>
                {words.mailTries(format.number(mail.tries))}
              </Text>
            )}
          </div>
        );
      },
    },
    {
      header: common.actions,
      kind: "actions",
      cell: (mail) => (
        <Button
          size="compact-xs"
          variant="default"
          aria-label={words.mailReadFor(mail.subject)}
          onClick={() => read(mail)}
        >
          {words.mailRead}
        </Button>
      ),
    },
  ];
}

function Letter({ id }: { id: string }) {
  const words = useWords(operator);
  const mail = useMail(id);
  if (mail.error) return <Failure error={mail.error} retry={() => void mail.refetch()} />;
  if (!mail.data) return <Loading />;
  return (
    <Stack gap="sm">
      <Text size="sm" c="dimmed">
        {words.to}: {mail.data.recipient}
      </Text>
      <Code block tabIndex={0} style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}>
        {mail.data.body}
      </Code>
    </Stack>
  );
}
