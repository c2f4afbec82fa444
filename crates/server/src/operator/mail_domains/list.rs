//! `GET /api/v1/operator/orgs/{organisation}/mail-domains`: lists the mail domains that an organisation has claimed.

use domain::OrgId;
use store::control::{mail_domains, organisations};

use crate::http::body::Path;
use crate::http::caller::Operator;
use crate::http::error::Result;
use crate::http::reply::{Found, Page};
use crate::mail_domains::MailDomainView;

pub(crate) async fn list(operator: Operator, Path(id): Path<OrgId>) -> Result<Found<Page<MailDomainView>>> {
    let mut tx = operator.person().store().read_control().await?;
    organisations::get(&mut tx, id).await?;
    let claims = mail_domains::list(&mut tx, id).await?;
    Ok(Found(Page { data: claims.into_iter().map(MailDomainView::from).collect(), next_cursor: None }))
}
