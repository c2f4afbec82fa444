//! The local mailbox: what the installation has written, for those that send no mail.

mod get;
mod list;

use domain::email::Email;
use domain::{MailId, Time};
use schemars::JsonSchema;
use serde::Serialize;
use store::control::mails::Heading;

use crate::routes::Routes;

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get("/api/v1/operator/mails", "Lists the mails, the newest first, without their texts.", list::list).get(
        "/api/v1/operator/mails/{id}",
        "Shows a mail with its text; that is recorded.",
        get::get,
    )
}

/// A mail without its text.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "MailHeading")]
pub(crate) struct HeadingView {
    id: MailId,
    recipient: Email,
    subject: String,
    created_at: Time,
    /// When it was sent; never, where mail stays in this mailbox.
    sent_at: Option<Time>,
    /// When it was given up.
    failed_at: Option<Time>,
    /// How often sending it was tried in vain.
    tries: i64,
    /// Why the last try was in vain.
    error: Option<String>,
}

impl From<Heading> for HeadingView {
    fn from(heading: Heading) -> Self {
        Self {
            id: heading.id,
            recipient: heading.recipient,
            subject: heading.subject,
            created_at: heading.created_at,
            sent_at: heading.sent_at,
            failed_at: heading.failed_at,
            tries: heading.tries,
            error: heading.error,
        }
    }
}
