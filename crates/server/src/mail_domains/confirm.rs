//! `POST /api/v1/mail-domains/confirm`: proves a mail domain with the link that was mailed to it. Whoever reads that mailbox need not be
//! anybody here.

use tenancy::mail_domains;

use crate::auth::MailedToken;
use crate::http::body::Body;
use crate::http::caller::Visitor;
use crate::http::error::Result;
use crate::http::reply::Done;

pub(crate) async fn confirm(visitor: Visitor, Body(body): Body<MailedToken>) -> Result<Done> {
    let (tx, org) = mail_domains::confirm(visitor.house(), body.token.expose(), visitor.origin()).await?;
    let reply = visitor.commit(tx, Done).await?;
    visitor.house().settle(org).await;
    Ok(reply)
}
