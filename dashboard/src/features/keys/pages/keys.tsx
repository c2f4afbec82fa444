import { Badge, Button, Code, Group, Menu, Modal, Text } from "@mantine/core";
import { IconKey, IconPlus, IconRefresh, IconTrash } from "@tabler/icons-react";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { useConfirm } from "@/components/confirm";
import { type Column, DataTable } from "@/components/data-table";
import { Ago, State } from "@/components/facts";
import { Page } from "@/components/page";
import { RowMenu } from "@/components/row-menu";
import { Empty } from "@/components/states";
import { useFormat } from "@/lib/format";
import { useOrg } from "@/lib/org";
import { told } from "@/lib/toast";
import { shared } from "@/lib/words/shared";
import { useWords } from "@/lib/words/words";
import type { NewKey } from "../api/create-key";
import { type Key, useKeys } from "../api/list-keys";
import { useProjects } from "../api/list-projects";
import { useRevokeKey } from "../api/revoke-key";
import { CreateKeyForm } from "../create-key-form";
import { NewKeyShown } from "../new-key";
import { RotateKeyForm } from "../rotate-key-form";
import { stateOf } from "../state";
import { keys } from "../words";

const COLOUR = { active: "green", ending: "yellow", revoked: "gray", expired: "red" } as const;

export function KeysPage() {
  const words = useWords(keys);
  const org = useOrg();
  const list = useKeys();
  const { create } = useSearch({ from: "/o/$org/keys" });
  const navigate = useNavigate({ from: "/o/$org/keys" });
  const [rotating, setRotating] = useState<Key>();
  const [made, setMade] = useState<NewKey>();

  const creating = (open: boolean) =>
    void navigate({ search: (before) => ({ ...before, create: open || undefined }), replace: !open });
  const show = (key: NewKey) => {
    setMade(key);
    setRotating(undefined);
    if (create) creating(false);
  };
  const button = org.canSomewhere("keys.create") && (
    <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => creating(true)}>
      {words.create}
    </Button>
  );

  return (
    <Page
      title={words.title}
      intro={words.intro}
      help={
        <>
          <p>{words.help}</p>
          <p>{words.helpLost}</p>
        </>
      }
      actions={button}
    >
      <DataTable
        label={words.list}
        list={list}
        columns={useColumns(setRotating)}
        rowKey={(key) => key.id}
        empty={<Empty icon={IconKey} title={words.emptyTitle} text={words.emptyText} action={button} />}
      />
      <Modal opened={create === true} onClose={() => creating(false)} title={words.form.title} size="lg">
        <CreateKeyForm done={show} cancel={() => creating(false)} />
      </Modal>
      <Modal
        opened={rotating !== undefined}
        onClose={() => setRotating(undefined)}
        title={rotating && words.rotate.title(rotating.name)}
      >
        {rotating && <RotateKeyForm of={rotating} done={show} cancel={() => setRotating(undefined)} />}
      </Modal>
      <Modal
        opened={made !== undefined}
        onClose={() => setMade(undefined)}
        title={words.made.title}
        size="lg"
        // A click beside it must not take away what cannot be shown again.
        closeOnClickOutside={false}
      >
        {made && <NewKeyShown made={made} close={() => setMade(undefined)} />}
      </Modal>
    </Page>
  );
}

function useColumns(rotate: (key: Key) => void): Column<Key>[] {
  const words = useWords(keys);
  const common = useWords(shared);
  const format = useFormat();
  const projects = useProjects();
  const now = Date.now();
  const named = (id: string) => projects.data?.data.find((project) => project.id === id)?.name ?? id;
  return [
    {
      header: words.columns.name,
      cell: (key) => (
        <>
          <Group gap={8}>
            <Text size="sm" fw={550}>
              <bdi>{key.name}</bdi>
            </Text>
            {key.mode === "test" && (
              <Badge size="sm" variant="light" color="gray" tt="none">
                {words.test}
              </Badge>
            )}
          </Group>
          <Code fz="xs">
            {key.prefix}…{key.last4}
          </Code>
        </>
      ),
    },
    { header: words.columns.project, cell: (key) => (key.project_id ? named(key.project_id) : words.wholeOrg) },
    { header: words.columns.used, cell: (key) => <Ago time={key.last_used_at} /> },
    { header: words.columns.expires, cell: (key) => (key.expires_at ? format.date(key.expires_at) : common.never) },
    {
      header: words.columns.state,
      cell: (key) => {
        const state = stateOf(key, now);
        return <State color={COLOUR[state]}>{words.states[state]}</State>;
      },
    },
    { header: common.actions, kind: "actions", cell: (key) => <Actions of={key} rotate={rotate} /> },
  ];
}

function Actions({ of, rotate }: { of: Key; rotate: (key: Key) => void }) {
  const words = useWords(keys);
  const org = useOrg();
  const confirm = useConfirm();
  const revoke = useRevokeKey();
  const mine = of.user_id === org.person.id;
  const mayEnd = (mine && org.can("keys.create", of.project_id)) || org.can("keys.manage", of.project_id);
  const state = stateOf(of, Date.now());
  // One that ends soon was rotated already, and still lets in whoever has it.
  if ((state !== "active" && state !== "ending") || !mayEnd) return null;

  const askAndRevoke = async () => {
    const meant = await confirm({
      title: words.revoke.title(of.name),
      text: words.revoke.text,
      deed: words.revoke.deed,
    });
    if (meant) revoke.mutate(of.id, { onSuccess: () => told(words.revoke.done(of.name)) });
  };
  return (
    <RowMenu of={of.name} busy={revoke.isPending}>
      {mine && state === "active" && (
        <Menu.Item leftSection={<IconRefresh size={16} aria-hidden />} onClick={() => rotate(of)}>
          {words.rotate.deed}
        </Menu.Item>
      )}
      <Menu.Item color="red" leftSection={<IconTrash size={16} aria-hidden />} onClick={() => void askAndRevoke()}>
        {words.revoke.deed}
      </Menu.Item>
    </RowMenu>
  );
}
