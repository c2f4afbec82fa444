//! `GET /api/v1/mail-domains`: lists the mail domains that the organisation has claimed. There are few, so there is one page.

use domain::access::can;
use store::control::mail_domains;

use super::MailDomainView;
use crate::http::caller::Caller;
use crate::http::error::Result;
use crate::http::reply::{Found, Page};

pub(crate) async fn list(caller: Caller<can::OrgSecurity>) -> Result<Found<Page<MailDomainView>>> {
    let mut tx = caller.store().read_control().await?;
    let claims = mail_domains::list(&mut tx, caller.org()).await?;
    Ok(Found(Page { data: claims.into_iter().map(MailDomainView::from).collect(), next_cursor: None }))
}
