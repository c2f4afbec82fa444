//! `POST /api/v1/auth/email/confirm`: makes the new mail address the person's, with the token that was mailed to it.

use tenancy::mail_address;

use crate::auth::verify::submit::MailedToken;
use crate::http::body::Body;
use crate::http::caller::Visitor;
use crate::http::error::Result;
use crate::http::reply::Done;

pub(crate) async fn confirm(visitor: Visitor, Body(body): Body<MailedToken>) -> Result<Done> {
    mail_address::confirm_change(visitor.house(), &body.token, visitor.origin()).await?;
    visitor.remember(Done).await
}
