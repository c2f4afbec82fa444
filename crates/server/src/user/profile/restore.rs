//! `POST /api/v1/user/profile/restore`: keeps an account that is about to be deleted, with the token that was mailed.

use tenancy::leaving;

use crate::auth::MailedToken;
use crate::http::body::Body;
use crate::http::caller::Visitor;
use crate::http::error::Result;
use crate::http::reply::Done;

pub(crate) async fn restore(visitor: Visitor, Body(body): Body<MailedToken>) -> Result<Done> {
    leaving::keep(visitor.house(), &body.token, visitor.origin()).await?;
    visitor.remember(Done).await
}
