//! `POST /api/v1/auth/email`: asks for another mail address; the link that makes it so is mailed there.

use tenancy::mail_address;

use crate::auth::{Address, MailSent};
use crate::http::body::Body;
use crate::http::caller::Person;
use crate::http::error::Result;
use crate::http::reply::Accepted;

pub(crate) async fn change(person: Person, Body(body): Body<Address>) -> Result<Accepted<MailSent>> {
    person.require_fresh()?;
    mail_address::ask_for_change(person.house(), person.user(), &body.email, person.origin()).await?;
    person.remember(Accepted(MailSent::default())).await
}
