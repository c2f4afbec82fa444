//! `DELETE /api/v1/user/profile`: deletes the caller's account. For 30 days signing in, or the link that is mailed, keeps it.

use domain::{OrgId, Time};
use schemars::JsonSchema;
use serde::Serialize;
use store::Actor;
use tenancy::leaving;

use crate::http::body::IfMatch;
use crate::http::caller::Person;
use crate::http::error::Result;
use crate::http::reply::Found;

/// An account that is about to be deleted.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "AccountDeletion")]
pub(crate) struct View {
    /// Until when it can be undone.
    ends_at: Time,
    /// The organisations that nobody else belongs to: they close with it.
    closing: Vec<OrgId>,
}

pub(crate) async fn delete(person: Person, expected: IfMatch) -> Result<Found<View>> {
    person.require_fresh()?;
    let by = Actor::Person(person.user());
    let asked = leaving::ask(person.house(), person.user(), &by, expected.version(), person.origin()).await?;
    let (tx, leaving) = asked;
    person.commit(tx, Found(View { ends_at: leaving.until, closing: leaving.closing })).await
}
