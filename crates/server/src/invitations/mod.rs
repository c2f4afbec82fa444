//! Invitations into an organisation, by mail or by link.

mod accept;
mod confirm;
mod create;
mod list;
mod preview;
mod resend;
mod revoke;

use domain::email::Email;
use domain::role::Role;
use domain::{InvitationId, ProjectId, TeamId, Time, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::control::invitations::Invitation;
use tenancy::House;
use tenancy::invitations::{Sent, link};

pub(crate) use accept::Joined;

use crate::routes::Routes;

pub(crate) fn routes(routes: Routes) -> Routes {
    routes
        .get("/api/v1/invitations", "Lists the invitations.", list::list)
        .post("/api/v1/invitations", "Invites a mail address; the link is mailed, and shown once.", create::create)
        .post("/api/v1/invitations/{id}/resend", "Mails a new link; the old one is void.", resend::resend)
        .delete("/api/v1/invitations/{id}", "Revokes an invitation.", revoke::revoke)
        .post("/api/v1/invitations/preview", "Tells where a link leads.", preview::preview)
        .post("/api/v1/invitations/accept", "Accepts an invitation to a verified address.", accept::accept)
        .post("/api/v1/invitations/confirm", "Lets in who opened it under another address.", confirm::confirm)
}

/// A team to be put into, with the role there.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TeamOffer {
    pub(crate) team_id: TeamId,
    pub(crate) role: Role,
}

/// A project to be put into, with the role there.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProjectOffer {
    project_id: ProjectId,
    role: Role,
}

/// How an invitation stands.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    /// Can be accepted.
    Open,
    /// Was accepted.
    Accepted,
    /// Was revoked.
    Revoked,
    /// Has ended; sending it anew opens it again.
    Expired,
}

/// An invitation.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Invitation")]
pub(crate) struct InvitationView {
    id: InvitationId,
    email: Email,
    /// The role at the organisation.
    role: Role,
    teams: Vec<TeamOffer>,
    projects: Vec<ProjectOffer>,
    status: State,
    /// Who answers for it.
    invited_by: UserId,
    created_at: Time,
    sent_at: Time,
    expires_at: Time,
}

impl InvitationView {
    fn new(invitation: Invitation, now: Time) -> Self {
        let status = match &invitation {
            one if one.is_open(now) => State::Open,
            one if one.accepted_at.is_some() => State::Accepted,
            one if one.revoked_at.is_some() => State::Revoked,
            _ => State::Expired,
        };
        let teams = invitation.teams.0.into_iter().map(|(team_id, role)| TeamOffer { team_id, role });
        let projects = invitation.projects.0.into_iter().map(|(project_id, role)| ProjectOffer { project_id, role });
        Self {
            id: invitation.id,
            email: invitation.email,
            role: invitation.role,
            teams: teams.collect(),
            projects: projects.collect(),
            status,
            invited_by: invitation.invited_by,
            created_at: invitation.created_at,
            sent_at: invitation.sent_at,
            expires_at: invitation.expires_at,
        }
    }
}

/// An invitation with its link, which is shown this once.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "SentInvitation")]
pub(crate) struct SentView {
    #[serde(flatten)]
    invitation: InvitationView,
    /// What the link holds; `POST /api/v1/invitations/accept` takes it.
    token: String,
    /// The link, as mailed. Under another address it takes a confirmation from the invited mailbox.
    link: String,
}

impl SentView {
    fn new(house: &House, sent: Sent) -> Self {
        let link = link(house, &sent.token);
        let now = house.store.ambient().now();
        Self { invitation: InvitationView::new(sent.invitation, now), token: sent.token, link }
    }
}
