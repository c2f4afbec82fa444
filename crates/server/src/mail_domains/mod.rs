//! Mail domains: claimed and proven by an organisation, so that people with an address there join by themselves.

mod change;
mod claim;
mod confirm;
mod give_up;
mod join;
mod list;
mod send_again;

use domain::role::Role;
use domain::{MailDomainId, TeamId, Time};
use schemars::JsonSchema;
use serde::Serialize;
use store::control::mail_domains::MailDomain;

use crate::invitations::TeamOffer;
use crate::routes::Routes;

pub(crate) fn routes(routes: Routes) -> Routes {
    routes
        .get("/api/v1/mail-domains", "Lists the mail domains that the organisation has claimed.", list::list)
        .post("/api/v1/mail-domains", "Claims a mail domain; a link that proves it is mailed there.", claim::claim)
        .patch("/api/v1/mail-domains/{id}", "Changes what joining gives, or switches it on or off.", change::change)
        .delete("/api/v1/mail-domains/{id}", "Gives a mail domain up; who joined by it stays.", give_up::give_up)
        .post("/api/v1/mail-domains/{id}/verify", "Mails a new link; the old one is void.", send_again::send_again)
        .post("/api/v1/mail-domains/confirm", "Proves a mail domain with the link that was mailed.", confirm::confirm)
        .get(
            "/api/v1/mail-domains/join",
            "Tells which organisation the caller may join by their address.",
            join::offered,
        )
        .post("/api/v1/mail-domains/join", "Joins it.", join::join)
}

/// A mail domain that the organisation has claimed.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "MailDomain")]
pub(crate) struct MailDomainView {
    id: MailDomainId,
    /// The domain, in small letters.
    domain: String,
    /// The role that joining gives.
    role: Role,
    teams: Vec<TeamOffer>,
    /// Whether people may join by it, once it is proven.
    joining: bool,
    /// When it was proven; null as long as it is a mere claim.
    verified_at: Option<Time>,
    created_at: Time,
}

impl From<MailDomain> for MailDomainView {
    fn from(claim: MailDomain) -> Self {
        Self {
            id: claim.id,
            domain: claim.domain,
            role: claim.role,
            teams: claim.teams.0.into_iter().map(|(team_id, role)| TeamOffer { team_id, role }).collect(),
            joining: claim.joining,
            verified_at: claim.verified_at,
            created_at: claim.created_at,
        }
    }
}

fn pairs(teams: Vec<TeamOffer>) -> Vec<(TeamId, Role)> {
    teams.into_iter().map(|team| (team.team_id, team.role)).collect()
}

fn postmaster() -> String {
    "postmaster".into()
}
