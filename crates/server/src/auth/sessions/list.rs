//! `GET /api/v1/auth/sessions`: the devices where the caller is signed in.

use domain::{SessionId, Time};
use schemars::JsonSchema;
use serde::Serialize;
use tenancy::sessions;

use crate::http::caller::Person;
use crate::http::error::Result;
use crate::http::reply::{Found, Page};

/// A device where somebody is signed in.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Session")]
pub(crate) struct SessionView {
    id: SessionId,
    /// `browser` or `token`.
    kind: String,
    /// What the client calls itself.
    agent: String,
    /// The address it signed in from.
    address: String,
    created_at: Time,
    /// When it was last used, to the minute.
    seen_at: Time,
    /// When it ends at the latest.
    expires_at: Time,
    /// Whether this request came from it.
    current: bool,
}

/// Nobody has more than a hundred, so there is one page.
pub(crate) async fn list(person: Person) -> Result<Found<Page<SessionView>>> {
    let current = person.session().id;
    let sessions = sessions::list(person.house(), person.user()).await?;
    let view = |session: store::control::sessions::Session| SessionView {
        current: session.id == current,
        id: session.id,
        kind: session.kind,
        agent: session.agent,
        address: session.address,
        created_at: session.created_at,
        seen_at: session.seen_at,
        expires_at: session.expires_at,
    };
    Ok(Found(Page { data: sessions.into_iter().map(view).collect(), next_cursor: None }))
}
