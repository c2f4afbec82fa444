/** What somebody looks for in the log: as it stands in the page's address, and as the API takes it. */
export interface Filter {
  actor?: string;
  action?: string;
  object?: string;
  /** Days, as `2026-06-01`; both are included. */
  from?: string;
  until?: string;
}

/** The filter in the API's words. Days begin and end where the reader is. */
export function asked({ actor, action, object, from, until }: Filter) {
  return {
    actor: actor || undefined,
    action: action?.trim() || undefined,
    object: object?.trim() || undefined,
    from: startOf(from, 0),
    until: startOf(until, 1),
  };
}

/** When a day begins, or the one so many days later; nothing for what is no day. */
function startOf(day: string | undefined, later: number): string | undefined {
  const parts = /^(\d{4})-(\d{2})-(\d{2})$/.exec(day ?? "");
  if (!parts) return undefined;
  const at = new Date(Number(parts[1]), Number(parts[2]) - 1, Number(parts[3]) + later);
  return Number.isNaN(at.getTime()) ? undefined : at.toISOString();
}

/** What the log knows as something that can be done; others are found, too, when they are typed. */
export const ACTIONS = [
  "access.denied",
  "access.refused",
  "alias.deleted",
  "alias.set",
  "api_key.created",
  "api_key.revoked",
  "api_key.rotated",
  "api_key.updated",
  "archive.created",
  "audit.exported",
  "budget.created",
  "budget.deleted",
  "budget.increased",
  "budget.updated",
  "collection.created",
  "collection.deleted",
  "collection.shared",
  "collection.unshared",
  "collection.updated",
  "config.updated",
  "connection.linked",
  "connection.unlinked",
  "document.created",
  "document.deleted",
  "document.downloaded",
  "document.moved",
  "document.replaced",
  "document.updated",
  "embedding.chosen",
  "embedding.switched",
  "invitation.created",
  "invitation.resent",
  "invitation.revoked",
  "limit.created",
  "limit.deleted",
  "limit.updated",
  "mail_domain.claimed",
  "mail_domain.given_up",
  "mail_domain.updated",
  "mail_domain.verified",
  "member.joined",
  "member.left",
  "member.removed",
  "member.updated",
  "organisation.closing",
  "organisation.lifetimes_set",
  "organisation.restored",
  "organisation.transferred",
  "organisation.updated",
  "project.created",
  "project.deleted",
  "project.member_removed",
  "project.member_set",
  "project.team_removed",
  "project.team_set",
  "project.updated",
  "provider.created",
  "provider.deleted",
  "provider.tested",
  "provider.updated",
  "role.created",
  "role.deleted",
  "role.updated",
  "session.ended",
  "session.refused",
  "session.started",
  "source.created",
  "source.deleted",
  "source.regrouped",
  "source.synced",
  "team.created",
  "team.deleted",
  "team.member_removed",
  "team.member_set",
  "team.updated",
  "thread.asked",
  "thread.created",
  "thread.deleted",
  "thread.exported",
  "thread.shared",
  "webhook.created",
  "webhook.deleted",
  "webhook.disabled",
  "webhook.secret_rotated",
  "webhook.tested",
  "webhook.updated",
] as const;
