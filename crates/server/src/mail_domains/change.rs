//! `PATCH /api/v1/mail-domains/{id}`: changes what joining by a domain gives, or switches it on or off. Who joined before keeps what
//! they got.

use domain::MailDomainId;
use domain::access::can;
use domain::role::Role;
use schemars::JsonSchema;
use serde::Deserialize;
use tenancy::mail_domains::{self, Change};

use super::{MailDomainView, pairs};
use crate::http::body::{Body, IfMatch, Path};
use crate::http::caller::Caller;
use crate::http::error::Result;
use crate::http::reply::{Found, Versioned};
use crate::invitations::TeamOffer;

/// What to change; what is left out stays.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateMailDomain {
    /// `member` or `viewer`.
    #[serde(default)]
    role: Option<Role>,
    /// Teams to be put into, as `member` or `viewer`.
    #[serde(default)]
    teams: Option<Vec<TeamOffer>>,
    /// Whether people may join.
    #[serde(default)]
    joining: Option<bool>,
}

pub(crate) async fn change(
    caller: Caller<can::OrgSecurity>,
    Path(id): Path<MailDomainId>,
    expected: IfMatch,
    Body(body): Body<UpdateMailDomain>,
) -> Result<Versioned<Found<MailDomainView>>> {
    // Closing the door needs no factor.
    if body.role.is_some() || body.teams.is_some() || body.joining == Some(true) {
        caller.require_person()?;
    }
    let change = Change { role: body.role, teams: body.teams.map(pairs), joining: body.joining };
    let changed = mail_domains::change(caller.house(), caller.scope(), id, expected.version(), change).await;
    let (tx, claim) = caller.told(changed, id).await?;
    caller.commit_control(tx, Versioned(claim.version, Found(claim.into()))).await
}
