//! `POST /api/v1/invitations`: invites a mail address. The link is mailed and shown to the inviter, this once.

use domain::access::can;
use domain::email::Email;
use domain::role::Role;
use schemars::JsonSchema;
use serde::Deserialize;
use tenancy::invitations::{self, Offer};

use super::{ProjectOffer, SentView, TeamOffer};
use crate::http::body::Body;
use crate::http::caller::{Caller, Metered, meters};
use crate::http::error::Result;
use crate::http::reply::Created;

/// Whom to invite, and to what.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateInvitation {
    email: Email,
    /// The role at the organisation; at most what the inviter holds.
    role: Role,
    /// Teams to be put into.
    #[serde(default)]
    teams: Vec<TeamOffer>,
    /// Projects to be put into.
    #[serde(default)]
    projects: Vec<ProjectOffer>,
}

pub(crate) async fn create(
    metered: Metered<Caller<can::InvitationsCreate>, meters::Mails>,
    Body(body): Body<CreateInvitation>,
) -> Result<Created<SentView>> {
    let (caller, _pass) = metered.through();
    let offer = Offer {
        role: body.role,
        teams: body.teams.into_iter().map(|offer| (offer.team_id, offer.role)).collect(),
        projects: body.projects.into_iter().map(|offer| (offer.project_id, offer.role)).collect(),
    };
    let outcome = invitations::invite(caller.house(), caller.scope(), body.email, offer, caller.fresh()).await;
    let (tx, sent) = caller.told(outcome, "invitation").await?;
    caller.commit_control(tx, Created(SentView::new(caller.house(), sent))).await
}
