import { Button, Menu, Modal, Text } from "@mantine/core";
import { IconAt, IconEdit, IconPlayerPause, IconPlayerPlay, IconPlus, IconSend, IconTrash } from "@tabler/icons-react";
import { useState } from "react";
import { useConfirm } from "@/components/confirm";
import { type Column, DataTable } from "@/components/data-table";
import { RoleName, State } from "@/components/facts";
import { RowMenu } from "@/components/row-menu";
import { Section } from "@/components/section";
import { Empty } from "@/components/states";
import { failed, told } from "@/lib/toast";
import { shared } from "@/lib/words/shared";
import { useWords } from "@/lib/words/words";
import { useGiveUpDomain } from "./api/give-up-domain";
import { type MailDomain, useMailDomains } from "./api/list-domains";
import { useResendProof } from "./api/resend-proof";
import { useUpdateDomain } from "./api/update-domain";
import { DomainForm } from "./domain-form";
import { signIns } from "./words";

export function DomainsSection() {
  const words = useWords(signIns).domains;
  const common = useWords(shared);
  const list = useMailDomains();
  const [claiming, setClaiming] = useState(false);
  const [editing, setEditing] = useState<MailDomain>();
  const button = (
    <Button size="xs" leftSection={<IconPlus size={15} aria-hidden />} onClick={() => setClaiming(true)}>
      {words.claim}
    </Button>
  );
  const columns: Column<MailDomain>[] = [
    {
      header: words.columns.domain,
      cell: ({ domain }) => (
        <Text size="sm" fw={550}>
          {domain}
        </Text>
      ),
    },
    { header: words.columns.role, cell: ({ role }) => <RoleName role={role} /> },
    {
      header: words.columns.state,
      cell: ({ verified_at, joining }) =>
        verified_at ? (
          <State color={joining ? "green" : "gray"}>{joining ? words.states.open : words.states.shut}</State>
        ) : (
          <State color="yellow">{words.states.unproven}</State>
        ),
    },
    { header: common.actions, kind: "actions", cell: (domain) => <Actions of={domain} edit={setEditing} /> },
  ];
  return (
    <Section title={words.title} text={words.text} action={list.rows.length > 0 && button}>
      <DataTable
        label={words.list}
        list={list}
        columns={columns}
        rowKey={({ id }) => id}
        empty={<Empty icon={IconAt} title={words.emptyTitle} text={words.emptyText} action={button} />}
      />
      <Modal opened={claiming} onClose={() => setClaiming(false)} title={words.form.title}>
        <DomainForm
          done={({ domain }) => {
            setClaiming(false);
            told(words.claimed(domain));
          }}
          cancel={() => setClaiming(false)}
        />
      </Modal>
      <Modal
        opened={editing !== undefined}
        onClose={() => setEditing(undefined)}
        title={editing && words.editTitle(editing.domain)}
      >
        {editing && <DomainForm of={editing} done={() => setEditing(undefined)} cancel={() => setEditing(undefined)} />}
      </Modal>
    </Section>
  );
}

function Actions({ of, edit }: { of: MailDomain; edit: (domain: MailDomain) => void }) {
  const words = useWords(signIns).domains;
  const confirm = useConfirm();
  const update = useUpdateDomain();
  const resend = useResendProof();
  const giveUp = useGiveUpDomain();
  const end = async () => {
    const { giveUpTitle, giveUpText: text, giveUp: deed, givenUp } = words;
    if (!(await confirm({ title: giveUpTitle(of.domain), text, deed }))) return;
    giveUp.mutate(of.id, { onSuccess: () => told(givenUp(of.domain)) });
  };
  return (
    <RowMenu of={of.domain} busy={update.isPending || resend.isPending || giveUp.isPending}>
      <Menu.Item leftSection={<IconEdit size={16} aria-hidden />} onClick={() => edit(of)}>
        {words.edit}
      </Menu.Item>
      {of.verified_at ? (
        <Menu.Item
          leftSection={
            of.joining ? <IconPlayerPause size={16} aria-hidden /> : <IconPlayerPlay size={16} aria-hidden />
          }
          onClick={() => update.mutate({ id: of.id, joining: !of.joining }, { onError: failed })}
        >
          {of.joining ? words.shut : words.open}
        </Menu.Item>
      ) : (
        <Menu.Item
          leftSection={<IconSend size={16} aria-hidden />}
          onClick={() => resend.mutate(of.id, { onSuccess: () => told(words.resent) })}
        >
          {words.resend}
        </Menu.Item>
      )}
      <Menu.Item color="red" leftSection={<IconTrash size={16} aria-hidden />} onClick={() => void end()}>
        {words.giveUp}
      </Menu.Item>
    </RowMenu>
  );
}
