//! `POST /api/v1/operator/orgs/{organisation}/mail-domains/{id}/verify`: marks a claimed mail domain as proven, on the operator's word.

use domain::{MailDomainId, OrgId};
use tenancy::mail_domains;

use crate::http::body::Path;
use crate::http::caller::Operator;
use crate::http::error::Result;
use crate::http::reply::{Found, Versioned};
use crate::mail_domains::MailDomainView;

pub(crate) async fn vouch(
    operator: Operator,
    Path((org, id)): Path<(OrgId, MailDomainId)>,
) -> Result<Versioned<Found<MailDomainView>>> {
    let person = operator.person();
    let (tx, claim) = mail_domains::vouch(person.house(), person.user(), person.origin(), org, id).await?;
    person.commit(tx, Versioned(claim.version, Found(claim.into()))).await
}
