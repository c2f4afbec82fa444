import { Badge, Button, Group, Text } from "@mantine/core";
import { IconDeviceDesktop } from "@tabler/icons-react";
import { useConfirm } from "@/components/confirm";
import { type Column, DataTable } from "@/components/data-table";
import { Ago } from "@/components/facts";
import { Section } from "@/components/section";
import { Empty } from "@/components/states";
import { useFormat } from "@/lib/format";
import { told } from "@/lib/toast";
import { shared } from "@/lib/words/shared";
import { useWords } from "@/lib/words/words";
import { useEndOtherSessions } from "./api/end-other-sessions";
import { useEndSession } from "./api/end-session";
import { type Session, useSessions } from "./api/list-sessions";
import { device } from "./device";
import { account } from "./words";

/** Where the person is signed in. */
export function Sessions() {
  const words = useWords(account);
  const list = useSessions();
  const confirm = useConfirm();
  const endOthers = useEndOtherSessions();
  const end = async () => {
    const { endTitle: title, endText: text, endOthers: deed, ended } = words.sessions;
    if (await confirm({ title, text, deed })) endOthers.mutate(undefined, { onSuccess: () => told(ended) });
  };
  return (
    <Section
      title={words.sessions.title}
      text={words.sessions.text}
      action={
        list.rows.some(({ current }) => !current) && (
          <Button variant="light" color="red" loading={endOthers.isPending} onClick={() => void end()}>
            {words.sessions.endOthers}
          </Button>
        )
      }
    >
      <DataTable
        label={words.sessions.list}
        list={list}
        columns={useColumns()}
        rowKey={(session) => session.id}
        empty={<Empty icon={IconDeviceDesktop} title={words.sessions.none} text={words.sessions.text} />}
      />
    </Section>
  );
}

function useColumns(): Column<Session>[] {
  const words = useWords(account);
  const common = useWords(shared);
  const format = useFormat();
  const nameOf = (session: Session) =>
    device(session.agent) ?? (session.kind === "browser" ? words.sessions.browser : words.sessions.token);
  return [
    {
      header: words.sessions.columns.device,
      cell: (session) => (
        <div>
          <Group gap={8}>
            <Text size="sm" fw={550}>
              {nameOf(session)}
            </Text>
            {session.current && (
              <Badge size="sm" variant="light" color="door" tt="none">
                {words.sessions.current}
              </Badge>
            )}
          </Group>
          <Text size="xs" c="dimmed" lineClamp={1} title={session.agent}>
            {session.agent}
          </Text>
        </div>
      ),
    },
    {
      header: words.sessions.columns.address,
      cell: ({ address }) => <span style={{ whiteSpace: "nowrap" }}>{address || "–"}</span>,
    },
    { header: words.sessions.columns.seen, cell: ({ seen_at }) => <Ago time={seen_at} /> },
    { header: words.sessions.columns.until, cell: ({ expires_at }) => format.date(expires_at) },
    {
      header: common.actions,
      kind: "actions",
      cell: (session) => (session.current ? null : <End of={session} name={nameOf(session)} />),
    },
  ];
}

function End({ of, name }: { of: Session; name: string }) {
  const words = useWords(account);
  const end = useEndSession();
  return (
    <Button
      variant="default"
      size="compact-xs"
      loading={end.isPending}
      aria-label={words.sessions.endOf(name)}
      onClick={() => end.mutate(of.id)}
    >
      {words.sessions.end}
    </Button>
  );
}
