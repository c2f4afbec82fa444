//! `POST /api/v1/mail-domains/{id}/verify`: mails a new link that proves a domain; the old one is void.

use domain::MailDomainId;
use domain::access::can;
use schemars::JsonSchema;
use serde::Deserialize;
use tenancy::mail_domains;

use super::postmaster;
use crate::auth::MailSent;
use crate::http::body::{Body, Path};
use crate::http::caller::{Caller, Metered, meters};
use crate::http::error::Result;
use crate::http::reply::Accepted;

/// Where to.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct VerifyMailDomain {
    /// `postmaster` or `admin` of the domain.
    #[serde(default = "postmaster")]
    mailbox: String,
}

pub(crate) async fn send_again(
    metered: Metered<Caller<can::OrgSecurity>, meters::Mails>,
    Path(id): Path<MailDomainId>,
    Body(body): Body<VerifyMailDomain>,
) -> Result<Accepted<MailSent>> {
    let (caller, _pass) = metered.through();
    let sent = mail_domains::send_again(caller.house(), caller.scope(), id, &body.mailbox).await;
    let tx = caller.told(sent, id).await?;
    caller.commit_control(tx, Accepted(MailSent::default())).await
}
