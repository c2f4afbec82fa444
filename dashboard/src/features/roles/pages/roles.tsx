import { ActionIcon, Alert, Button, Card, Menu, Modal, Stack, Text, VisuallyHidden } from "@mantine/core";
import { IconCheck, IconDots, IconEdit, IconMinus, IconPlus, IconTrash } from "@tabler/icons-react";
import { useState } from "react";
import { useConfirm } from "@/components/confirm";
import { ButtonLink } from "@/components/links";
import { Page } from "@/components/page";
import { Failure, Loading } from "@/components/states";
import { useEntitlements } from "@/lib/entitlements";
import { useOrg } from "@/lib/org";
import { useRoles } from "@/lib/roster";
import { told } from "@/lib/toast";
import { PERMISSIONS, permissionGroups, permissionWords } from "@/lib/words/permissions";
import { shared } from "@/lib/words/shared";
import { useWords } from "@/lib/words/words";
import { useDeleteRole } from "../api/delete-role";

import { type Role, useRole } from "../api/get-role";
import styles from "../matrix.module.css";
import { RoleForm } from "../role-form";
import { roles as wordsOf } from "../words";

export function RolesPage() {
  const words = useWords(wordsOf);
  const org = useOrg();
  const { roles, isPending, error, refetch } = useRoles();
  const entitlements = useEntitlements();
  const [creating, setCreating] = useState(false);
  const [editing, setEditing] = useState<Role>();
  const edited = useRole(editing?.id);
  const included = entitlements.data?.features.custom_roles.granted;
  return (
    <Page
      title={words.title}
      intro={words.intro}
      help={
        <>
          <p>{words.help}</p>
          <p>{words.helpWhy}</p>
        </>
      }
      actions={
        <>
          <ButtonLink to="/o/$org/roles/why" params={{ org: org.address }} variant="default">
            {words.why}
          </ButtonLink>
          {org.can("roles.write") && included && (
            <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setCreating(true)}>
              {words.create}
            </Button>
          )}
        </>
      }
    >
      <Stack>
        {org.can("roles.write") && included === false && (
          <Alert variant="light" color="gray">
            {words.notIncluded}
          </Alert>
        )}
        {error && roles.length === 0 ? (
          <Failure error={error} retry={() => void refetch()} />
        ) : isPending ? (
          <Loading lines={12} />
        ) : (
          <Matrix roles={roles} edit={setEditing} />
        )}
      </Stack>
      <Modal opened={creating} onClose={() => setCreating(false)} title={words.form.create} size="xl">
        <RoleForm done={() => setCreating(false)} cancel={() => setCreating(false)} />
      </Modal>
      <Modal
        opened={editing !== undefined}
        onClose={() => setEditing(undefined)}
        title={editing && words.form.edit(editing.name)}
        size="xl"
      >
        {edited.error ? (
          <Failure error={edited.error} retry={() => void edited.refetch()} />
        ) : edited.data ? (
          <RoleForm of={edited.data} done={() => setEditing(undefined)} cancel={() => setEditing(undefined)} />
        ) : (
          <Loading lines={8} />
        )}
      </Modal>
    </Page>
  );
}

function Matrix({ roles, edit }: { roles: readonly Role[]; edit: (role: Role) => void }) {
  const words = useWords(wordsOf);
  const groups = useWords(permissionGroups);
  const may = useWords(permissionWords);
  const { nameOf } = useRoles();
  const held = new Map(roles.map((role) => [role.id, new Set<string>(role.permissions)]));
  return (
    <Card padding={0}>
      {/* Reached by the keyboard, since it scrolls where it is narrow. */}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls */}
      <section className={styles.frame} aria-label={words.matrix} tabIndex={0}>
        <table className={styles.table} aria-label={words.matrix}>
          <thead>
            <tr>
              <th scope="col">
                <VisuallyHidden>{words.permission}</VisuallyHidden>
              </th>
              {roles.map((role) => (
                <th key={role.id} scope="col">
                  <bdi>{nameOf(role.id)}</bdi>
                  {role.builtin ? null : <Actions of={role} edit={edit} />}
                </th>
              ))}
            </tr>
          </thead>
          {PERMISSIONS.map(({ group, permissions }) => (
            <tbody key={group} className={styles.group}>
              <tr>
                <th scope="rowgroup" colSpan={roles.length + 1}>
                  {groups[group]}
                </th>
              </tr>
              {permissions.map((permission) => (
                <tr key={permission}>
                  <th scope="row">
                    <Text size="sm">{may[permission]}</Text>
                  </th>
                  {roles.map(({ id }) => {
                    const yes = held.get(id)?.has(permission) ?? false;
                    return (
                      <td key={id} className={yes ? styles.yes : styles.no}>
                        {yes ? <IconCheck size={18} aria-hidden /> : <IconMinus size={14} aria-hidden />}
                        <VisuallyHidden>{yes ? words.allowed : words.refused}</VisuallyHidden>
                      </td>
                    );
                  })}
                </tr>
              ))}
            </tbody>
          ))}
        </table>
      </section>
    </Card>
  );
}

function Actions({ of, edit }: { of: Role; edit: (role: Role) => void }) {
  const words = useWords(wordsOf);
  const common = useWords(shared);
  const org = useOrg();
  const { within } = useRoles();
  const confirm = useConfirm();
  const remove = useDeleteRole();
  // Nobody changes a role that allows more than they may.
  if (!org.can("roles.write") || !within(of.id)) return null;
  const end = async () => {
    const { title, text, deed, done } = words.remove;
    if (!(await confirm({ title: title(of.name), text, deed }))) return;
    remove.mutate(of.id, { onSuccess: () => told(done(of.name)) });
  };
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon
          variant="subtle"
          color="gray"
          size="sm"
          ms={4}
          aria-label={common.actionsFor(of.name)}
          loading={remove.isPending}
        >
          <IconDots size={16} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<IconEdit size={16} aria-hidden />} onClick={() => edit(of)}>
          {common.edit}
        </Menu.Item>
        <Menu.Item color="red" leftSection={<IconTrash size={16} aria-hidden />} onClick={() => void end()}>
          {words.remove.deed}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
