//! `POST /api/v1/auth/verify/resend`: mails a new link for verification; says nothing about whom the address belongs to.

use tenancy::mail_address;

use crate::auth::{Address, MailSent};
use crate::http::body::Body;
use crate::http::caller::Visitor;
use crate::http::error::Result;
use crate::http::reply::Accepted;

pub(crate) async fn resend(visitor: Visitor, Body(body): Body<Address>) -> Result<Accepted<MailSent>> {
    mail_address::resend(visitor.house(), &body.email, visitor.origin()).await?;
    visitor.remember(Accepted(MailSent::default())).await
}
