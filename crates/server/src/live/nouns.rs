//! Which entry of the audit log changes which noun of the API, and who may know.

use domain::access::Permission;

/// Who is told that something changed. Who did it always is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// Nobody else.
    Oneself,
    /// Whoever holds a permission somewhere in the organisation.
    Holders(Permission),
    /// Those for whom what they see of it is another than before.
    Seers(Sight),
}

/// What people see different parts of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sight {
    Projects,
    /// With their documents.
    Collections,
    Threads,
}

impl Sight {
    pub(super) const ALL: [Self; 3] = [Self::Projects, Self::Collections, Self::Threads];
}

/// A noun of the API, as its path has it, and who hears of its changes.
pub(super) type Noun = (&'static str, Told);

/// What is told when documents went on by themselves: their reading is no entry of the log.
pub(super) const COLLECTIONS: Noun = ("collections", Told::Seers(Sight::Collections));
/// What is told with each entry.
pub(super) const AUDIT: Noun = ("audit", Told::Holders(Permission::AuditRead));

/// The nouns that an action changes: `team.created` changes teams. None for what changes the log alone.
pub(super) fn of(action: &str) -> &'static [Noun] {
    use Permission as P;
    use Told::{Holders, Oneself, Seers};
    const MEMBERS: Noun = ("members", Holders(P::MembersRead));
    const TEAMS: Noun = ("teams", Holders(P::TeamsRead));
    const PROJECTS: Noun = ("projects", Seers(Sight::Projects));
    const THREADS: Noun = ("threads", Seers(Sight::Threads));
    const ORGS: Noun = ("orgs", Holders(P::OrgRead));
    const USER: Noun = ("user", Oneself);
    match action.split('.').next().unwrap_or_default() {
        // What somebody sees depends on where they are.
        "member" => &[MEMBERS, TEAMS, PROJECTS, COLLECTIONS, THREADS],
        "team" => &[TEAMS, PROJECTS, COLLECTIONS, THREADS],
        "project" => &[PROJECTS, COLLECTIONS, THREADS],
        "role" => &[("roles", Holders(P::RolesRead)), PROJECTS, COLLECTIONS, THREADS],
        "invitation" => &[("invitations", Holders(P::InvitationsRead)), MEMBERS],
        "api_key" | "key" => &[("api-keys", Holders(P::KeysManage))],
        "budget" => &[("budgets", Holders(P::BudgetsRead))],
        "limit" => &[("limits", Holders(P::LimitsRead))],
        "provider" | "alias" => &[("models", Holders(P::ProvidersRead))],
        "webhook" => &[("webhooks", Holders(P::WebhooksRead))],
        "mail_domain" => &[("mail-domains", Holders(P::OrgSecurity))],
        "organisation" | "override" | "embedding" => &[ORGS],
        "collection" | "document" | "source" | "archive" => &[COLLECTIONS],
        "thread" | "message" => &[THREADS],
        "config" | "connection" | "person" | "session" | "second_factor" => &[USER],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_everybodys_is_told_to_its_seers_alone() {
        for action in [
            "document.created",
            "collection.updated",
            "thread.asked",
            "message.rated",
            "source.synced",
            "project.created",
        ] {
            let nouns = of(action);
            assert!(!nouns.is_empty() && nouns.iter().all(|(_, told)| matches!(told, Told::Seers(_))), "{action}");
        }
        assert_eq!(of("access.denied"), []);
    }
}
