import { Button, Drawer, Group, Menu, Modal, Stack, Text } from "@mantine/core";
import {
  IconEdit,
  IconListCheck,
  IconPlayerPause,
  IconPlayerPlay,
  IconPlus,
  IconRefresh,
  IconSend,
  IconTrash,
  IconWebhook,
} from "@tabler/icons-react";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { useConfirm } from "@/components/confirm";
import { SecretOnce } from "@/components/copy";
import { type Column, DataTable } from "@/components/data-table";
import { State } from "@/components/facts";
import { RowMenu } from "@/components/row-menu";
import { Section } from "@/components/section";
import { Empty } from "@/components/states";
import { useFormat } from "@/lib/format";
import { useOrg } from "@/lib/org";
import { failed, told } from "@/lib/toast";
import { shared } from "@/lib/words/shared";
import { useWords } from "@/lib/words/words";
import { useDeleteWebhook } from "../api/delete-webhook";
import { useWebhooks, type Webhook } from "../api/list-webhooks";
import { useRotateSecret } from "../api/rotate-secret";
import { useTestWebhook } from "../api/test-webhook";
import { useUpdateWebhook } from "../api/update-webhook";
import { Deliveries } from "../deliveries";
import { WebhookForm } from "../webhook-form";
import { webhooks } from "../words";

/** A secret that was just made, and whether in the place of another. */
interface Made {
  secret: string;
  rotated: boolean;
}

export function WebhooksPage() {
  const words = useWords(webhooks);
  const common = useWords(shared);
  const org = useOrg();
  const list = useWebhooks();
  const { create, deliveries } = useSearch({ from: "/o/$org/settings/webhooks" });
  const navigate = useNavigate({ from: "/o/$org/settings/webhooks" });
  const [editing, setEditing] = useState<Webhook>();
  const [made, setMade] = useState<Made>();
  const creating = (open: boolean) =>
    void navigate({ search: (before) => ({ ...before, create: open || undefined }), replace: !open });
  const show = (id: string | undefined) =>
    void navigate({ search: (before) => ({ ...before, deliveries: id }), replace: id === undefined });
  const button = org.can("webhooks.write") && (
    <Button size="xs" leftSection={<IconPlus size={15} aria-hidden />} onClick={() => creating(true)}>
      {words.create}
    </Button>
  );
  return (
    <Section title={words.title} text={words.text} action={list.rows.length > 0 && button}>
      <DataTable
        label={words.list}
        list={list}
        columns={useColumns({ show, edit: setEditing, rotated: (secret) => setMade({ secret, rotated: true }) })}
        rowKey={({ id }) => id}
        empty={<Empty icon={IconWebhook} title={words.emptyTitle} text={words.emptyText} action={button} />}
      />
      <Modal opened={create === true} onClose={() => creating(false)} title={words.form.create}>
        <WebhookForm made={({ secret }) => setMade({ secret, rotated: false })} done={() => creating(false)} />
      </Modal>
      <Modal opened={editing !== undefined} onClose={() => setEditing(undefined)} title={words.form.edit}>
        {editing && <WebhookForm of={editing} done={() => setEditing(undefined)} />}
      </Modal>
      <Modal
        opened={made !== undefined}
        onClose={() => setMade(undefined)}
        title={made?.rotated ? words.made.rotated : words.made.title}
        // A click beside it must not take away what cannot be shown again.
        closeOnClickOutside={false}
      >
        {made && (
          <Stack>
            <SecretOnce label={words.made.secret} secret={made.secret} />
            <Group justify="flex-end">
              <Button onClick={() => setMade(undefined)}>{common.secret.done}</Button>
            </Group>
          </Stack>
        )}
      </Modal>
      <Drawer
        opened={deliveries !== undefined}
        onClose={() => show(undefined)}
        position="right"
        size="lg"
        padding="lg"
        title={words.deliveries.title}
      >
        {deliveries !== undefined && <Deliveries of={deliveries} />}
      </Drawer>
    </Section>
  );
}

interface Deeds {
  show: (id: string) => void;
  edit: (webhook: Webhook) => void;
  rotated: (secret: string) => void;
}

function useColumns(deeds: Deeds): Column<Webhook>[] {
  const words = useWords(webhooks);
  const common = useWords(shared);
  const format = useFormat();
  return [
    {
      header: words.columns.url,
      cell: ({ url, description, former_secret_until }) => (
        <div>
          <Text size="sm" fw={550} style={{ overflowWrap: "anywhere" }}>
            {url}
          </Text>
          {description && (
            <Text size="xs" c="dimmed">
              <bdi>{description}</bdi>
            </Text>
          )}
          {former_secret_until && new Date(former_secret_until).getTime() > Date.now() && (
            <Text size="xs" c="dimmed">
              {words.former(format.dateTime(former_secret_until))}
            </Text>
          )}
        </div>
      ),
    },
    {
      header: words.columns.events,
      cell: ({ events }) => (
        <div>
          {events.map((event) => (
            <Text key={event} size="xs">
              {words.events[event]}
            </Text>
          ))}
        </div>
      ),
    },
    {
      header: words.columns.state,
      cell: ({ enabled, disabled_because }) => (
        <State color={enabled ? "green" : disabled_because === "asked" ? "gray" : "red"}>
          {enabled ? words.states.on : words.states[disabled_because ?? "asked"]}
        </State>
      ),
    },
    { header: common.actions, kind: "actions", cell: (webhook) => <Actions of={webhook} deeds={deeds} /> },
  ];
}

function Actions({ of, deeds }: { of: Webhook; deeds: Deeds }) {
  const words = useWords(webhooks);
  const common = useWords(shared);
  const org = useOrg();
  const confirm = useConfirm();
  const update = useUpdateWebhook();
  const test = useTestWebhook();
  const rotate = useRotateSecret();
  const remove = useDeleteWebhook();
  const renew = async () => {
    const { title, text, deed } = words.rotate;
    if (await confirm({ title, text, deed }))
      rotate.mutate(of.id, { onSuccess: ({ secret }) => deeds.rotated(secret) });
  };
  const end = async () => {
    const { title, text, deed, done } = words.remove;
    if (await confirm({ title, text, deed })) remove.mutate(of.id, { onSuccess: () => told(done) });
  };
  return (
    <RowMenu of={of.url} busy={update.isPending || test.isPending || rotate.isPending || remove.isPending}>
      <Menu.Item leftSection={<IconListCheck size={16} aria-hidden />} onClick={() => deeds.show(of.id)}>
        {words.deliveries.deed}
      </Menu.Item>
      {org.can("webhooks.write") && (
        <>
          {of.enabled && (
            <Menu.Item
              leftSection={<IconSend size={16} aria-hidden />}
              onClick={() => test.mutate(of.id, { onSuccess: () => told(words.test.done) })}
            >
              {words.test.deed}
            </Menu.Item>
          )}
          <Menu.Item leftSection={<IconEdit size={16} aria-hidden />} onClick={() => deeds.edit(of)}>
            {common.edit}
          </Menu.Item>
          <Menu.Item
            leftSection={
              of.enabled ? <IconPlayerPause size={16} aria-hidden /> : <IconPlayerPlay size={16} aria-hidden />
            }
            onClick={() => update.mutate({ id: of.id, enabled: !of.enabled }, { onError: failed })}
          >
            {of.enabled ? words.off : words.on}
          </Menu.Item>
          <Menu.Item leftSection={<IconRefresh size={16} aria-hidden />} onClick={() => void renew()}>
            {words.rotate.deed}
          </Menu.Item>
          <Menu.Item color="red" leftSection={<IconTrash size={16} aria-hidden />} onClick={() => void end()}>
            {words.remove.deed}
          </Menu.Item>
        </>
      )}
    </RowMenu>
  );
}
