//! `POST /api/v1/auth/password/forgot`: mails a link for a new password; says nothing about whom the address belongs to.

use tenancy::password_reset;

use crate::auth::{Address, MailSent};
use crate::http::body::Body;
use crate::http::caller::Visitor;
use crate::http::error::Result;
use crate::http::reply::Accepted;

pub(crate) async fn forgot(visitor: Visitor, Body(body): Body<Address>) -> Result<Accepted<MailSent>> {
    password_reset::forgot(visitor.house(), &body.email, visitor.origin()).await?;
    visitor.remember(Accepted(MailSent::default())).await
}
