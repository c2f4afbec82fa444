import { Button, Menu, Modal, Stack, Switch, Text } from "@mantine/core";
import { IconMail, IconSend, IconTrash, IconUserPlus } from "@tabler/icons-react";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { useConfirm } from "@/components/confirm";
import { type Column, DataTable } from "@/components/data-table";
import { Ago, RoleName, State } from "@/components/facts";
import { ButtonLink } from "@/components/links";
import { Page } from "@/components/page";
import { RowMenu } from "@/components/row-menu";
import { Empty } from "@/components/states";
import { useFormat } from "@/lib/format";
import { useOrg } from "@/lib/org";
import { usePeople, useRoles } from "@/lib/roster";
import { told } from "@/lib/toast";
import { shared } from "@/lib/words/shared";
import { useWords } from "@/lib/words/words";
import type { SentInvitation } from "../api/create-invitation";
import { type Invitation, useInvitations } from "../api/list-invitations";
import { useResendInvitation } from "../api/resend-invitation";
import { useRevokeInvitation } from "../api/revoke-invitation";
import { InvitationSent } from "../invitation-sent";
import { InviteForm } from "../invite-form";
import { invitations } from "../words";

const COLOUR = { open: "blue", accepted: "green", revoked: "gray", expired: "yellow" } as const;

export function InvitationsPage() {
  const words = useWords(invitations);
  const org = useOrg();
  const { invite, all } = useSearch({ from: "/o/$org/invitations" });
  const navigate = useNavigate({ from: "/o/$org/invitations" });
  const list = useInvitations(all ?? false);
  const [sent, setSent] = useState<SentInvitation>();
  const inviting = (open: boolean) =>
    void navigate({ search: (before) => ({ ...before, invite: open || undefined }), replace: !open });
  const show = (invitation: SentInvitation) => {
    setSent(invitation);
    if (invite) inviting(false);
  };
  const button = org.can("invitations.create") && (
    <Button leftSection={<IconUserPlus size={16} aria-hidden />} onClick={() => inviting(true)}>
      {words.invite}
    </Button>
  );
  return (
    <Page
      title={words.title}
      intro={words.intro}
      help={
        <>
          <p>{words.help}</p>
          <p>{words.helpElsewhere}</p>
        </>
      }
      actions={
        <>
          <ButtonLink to="/o/$org/members" params={{ org: org.address }} variant="default">
            {words.members}
          </ButtonLink>
          {button}
        </>
      }
    >
      <Stack gap="sm">
        <Switch
          label={words.past}
          checked={all ?? false}
          onChange={({ currentTarget: { checked } }) =>
            void navigate({ search: (before) => ({ ...before, all: checked || undefined }), replace: true })
          }
        />
        <DataTable
          label={words.list}
          list={list}
          columns={useColumns(show)}
          rowKey={(invitation) => invitation.id}
          empty={<Empty icon={IconMail} title={words.emptyTitle} text={words.emptyText} action={button} />}
        />
      </Stack>
      <Modal opened={invite === true && !sent} onClose={() => inviting(false)} title={words.form.title}>
        <InviteForm done={show} cancel={() => inviting(false)} />
      </Modal>
      <Modal
        opened={sent !== undefined}
        onClose={() => setSent(undefined)}
        title={words.sent.title}
        // A click beside it must not take away what cannot be shown again.
        closeOnClickOutside={false}
      >
        {sent && (
          <InvitationSent
            sent={sent}
            close={() => setSent(undefined)}
            another={() => {
              setSent(undefined);
              inviting(true);
            }}
          />
        )}
      </Modal>
    </Page>
  );
}

function useColumns(show: (sent: SentInvitation) => void): Column<Invitation>[] {
  const words = useWords(invitations);
  const common = useWords(shared);
  const format = useFormat();
  const people = usePeople();
  const roles = useRoles();
  return [
    {
      header: words.columns.email,
      cell: ({ email }) => (
        <Text size="sm" fw={550}>
          {email}
        </Text>
      ),
    },
    { header: words.columns.role, cell: ({ role }) => <RoleName role={role} custom={roles.nameOf(role)} /> },
    {
      header: words.columns.by,
      cell: ({ invited_by }) => <bdi>{people.find(invited_by)?.name ?? "–"}</bdi>,
    },
    { header: words.columns.sent, cell: ({ sent_at }) => <Ago time={sent_at} /> },
    {
      header: words.columns.state,
      cell: ({ status, expires_at }) => (
        <div>
          <State color={COLOUR[status]}>{words.states[status]}</State>
          {status === "open" && (
            <Text size="xs" c="dimmed">
              {words.until(format.date(expires_at))}
            </Text>
          )}
        </div>
      ),
    },
    { header: common.actions, kind: "actions", cell: (invitation) => <Actions of={invitation} show={show} /> },
  ];
}

function Actions({ of, show }: { of: Invitation; show: (sent: SentInvitation) => void }) {
  const words = useWords(invitations);
  const org = useOrg();
  const confirm = useConfirm();
  const resend = useResendInvitation();
  const revoke = useRevokeInvitation();
  const mayResend = org.can("invitations.create") && (of.status === "open" || of.status === "expired");
  const mayRevoke = org.can("invitations.revoke") && of.status === "open";
  if (!mayResend && !mayRevoke) return null;

  const take = async () => {
    const { title, text, deed, done } = words.revoke;
    if (!(await confirm({ title: title(of.email), text, deed }))) return;
    revoke.mutate(of.id, { onSuccess: () => told(done(of.email)) });
  };
  return (
    <RowMenu of={of.email} busy={resend.isPending || revoke.isPending}>
      {mayResend && (
        <Menu.Item
          leftSection={<IconSend size={16} aria-hidden />}
          onClick={() => resend.mutate(of.id, { onSuccess: show })}
        >
          {words.resend.deed}
        </Menu.Item>
      )}
      {mayRevoke && (
        <Menu.Item color="red" leftSection={<IconTrash size={16} aria-hidden />} onClick={() => void take()}>
          {words.revoke.deed}
        </Menu.Item>
      )}
    </RowMenu>
  );
}
