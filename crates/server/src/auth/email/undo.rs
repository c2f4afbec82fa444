//! `POST /api/v1/auth/email/undo`: takes a change of the mail address back, with the token that was mailed to the old one.

use tenancy::mail_address;

use crate::auth::verify::submit::MailedToken;
use crate::http::body::Body;
use crate::http::caller::Visitor;
use crate::http::error::Result;
use crate::http::reply::Done;

pub(crate) async fn undo(visitor: Visitor, Body(body): Body<MailedToken>) -> Result<Done> {
    mail_address::undo_change(visitor.house(), &body.token, visitor.origin()).await?;
    visitor.remember(Done).await
}
