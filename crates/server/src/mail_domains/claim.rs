//! `POST /api/v1/mail-domains`: claims a mail domain, and mails a link that proves it to one of the domain's own mailboxes.

use domain::access::can;
use domain::role::Role;
use schemars::JsonSchema;
use serde::Deserialize;
use tenancy::mail_domains::{self, Preset};

use super::{MailDomainView, pairs, postmaster};
use crate::http::body::Body;
use crate::http::caller::{Caller, Metered, meters};
use crate::http::error::Result;
use crate::http::reply::{Created, Versioned};
use crate::invitations::TeamOffer;

/// A domain, and what joining by it gives.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClaimMailDomain {
    /// Such as `example.com`; a domain below it is another one.
    domain: String,
    /// Where the link goes: `postmaster` or `admin` of the domain.
    #[serde(default = "postmaster")]
    mailbox: String,
    /// `member` or `viewer`.
    role: Role,
    /// Teams to be put into, as `member` or `viewer`.
    #[serde(default)]
    teams: Vec<TeamOffer>,
}

/// It says nothing about claims of others: whoever proves a domain first has it.
pub(crate) async fn claim(
    metered: Metered<Caller<can::OrgSecurity>, meters::Mails>,
    Body(body): Body<ClaimMailDomain>,
) -> Result<Versioned<Created<MailDomainView>>> {
    let (caller, _pass) = metered.through();
    caller.require_person()?;
    let preset = Preset { role: body.role, teams: pairs(body.teams) };
    let claimed = mail_domains::claim(caller.house(), caller.scope(), &body.domain, &body.mailbox, preset).await;
    let (tx, claim) = caller.told(claimed, "mail domain").await?;
    caller.commit_control(tx, Versioned(claim.version, Created(claim.into()))).await
}
