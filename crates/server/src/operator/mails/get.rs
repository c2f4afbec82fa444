//! `GET /api/v1/operator/mails/{id}`: shows a mail with its text. The text may hold a link that lets somebody in, so it takes a fresh
//! factor, and whoever reads it is recorded.

use domain::email::Email;
use domain::{MailId, Time};
use schemars::JsonSchema;
use serde::Serialize;
use store::Actor;
use store::audit::Event;
use store::control::mails;

use crate::http::body::Path;
use crate::http::caller::Operator;
use crate::http::error::Result;
use crate::http::reply::Found;

/// A mail.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Mail")]
pub(crate) struct View {
    id: MailId,
    recipient: Email,
    subject: String,
    body: String,
    created_at: Time,
}

pub(crate) async fn get(operator: Operator, Path(id): Path<MailId>) -> Result<Found<View>> {
    let person = operator.person();
    person.require_fresh()?;
    let mut tx = person.begin().await?;
    let mail = mails::get(&mut tx, id).await?;
    tx.record_house(&Actor::Operator(person.user()), person.origin(), Event::new("mail.read", id)).await?;
    let view = View {
        id: mail.id,
        recipient: mail.recipient,
        subject: mail.subject,
        body: mail.body,
        created_at: mail.created_at,
    };
    person.commit(tx, Found(view)).await
}
