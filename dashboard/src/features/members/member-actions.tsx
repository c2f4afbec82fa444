import { Menu } from "@mantine/core";
import { IconInfoCircle, IconLock, IconLockOpen, IconUserCog, IconUserMinus } from "@tabler/icons-react";
import { useConfirm } from "@/components/confirm";
import { RowMenu } from "@/components/row-menu";
import { useOrg } from "@/lib/org";
import { useRoles } from "@/lib/roster";
import { told } from "@/lib/toast";
import { useWords } from "@/lib/words/words";
import type { Member } from "./api/list-members";
import { useRemoveMember } from "./api/remove-member";
import { useUpdateMember } from "./api/update-member";
import { members } from "./words";

/** What can be done about a member: nothing to oneself, nor to who holds more. */
export function MemberActions({
  of,
  show,
  changeRole,
}: {
  of: Member;
  show: (id: string) => void;
  changeRole: (member: Member) => void;
}) {
  const words = useWords(members);
  const org = useOrg();
  const confirm = useConfirm();
  const roles = useRoles();
  const update = useUpdateMember();
  const remove = useRemoveMember();
  const within = roles.within(of.role);
  const self = of.user_id === org.person.id;
  const mayChange = org.can("members.update") && within;
  const mayRemove = org.can("members.remove") && within && !self;

  const suspend = async () => {
    const { title, text, deed, done } = words.suspend;
    if (!(await confirm({ title: title(of.name), text, deed }))) return;
    update.mutate({ id: of.user_id, standing: "suspended" }, { onSuccess: () => told(done(of.name)) });
  };
  const restore = () =>
    update.mutate({ id: of.user_id, standing: "active" }, { onSuccess: () => told(words.restore.done(of.name)) });
  const end = async () => {
    const { title, text, deed, done } = words.remove;
    if (!(await confirm({ title: title(of.name), text, deed }))) return;
    remove.mutate(of.user_id, { onSuccess: () => told(done(of.name)) });
  };

  return (
    <RowMenu of={of.name} busy={update.isPending || remove.isPending}>
      <Menu.Item leftSection={<IconInfoCircle size={16} aria-hidden />} onClick={() => show(of.user_id)}>
        {words.details}
      </Menu.Item>
      {mayChange && (
        <Menu.Item leftSection={<IconUserCog size={16} aria-hidden />} onClick={() => changeRole(of)}>
          {words.change.deed}
        </Menu.Item>
      )}
      {mayChange && !self && of.standing === "active" && (
        <Menu.Item leftSection={<IconLock size={16} aria-hidden />} onClick={() => void suspend()}>
          {words.suspend.deed}
        </Menu.Item>
      )}
      {mayChange && !self && of.standing === "suspended" && (
        <Menu.Item leftSection={<IconLockOpen size={16} aria-hidden />} onClick={restore}>
          {words.restore.deed}
        </Menu.Item>
      )}
      {mayRemove && (
        <Menu.Item color="red" leftSection={<IconUserMinus size={16} aria-hidden />} onClick={() => void end()}>
          {words.remove.deed}
        </Menu.Item>
      )}
    </RowMenu>
  );
}
