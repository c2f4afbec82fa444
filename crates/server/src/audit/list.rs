//! `GET /api/v1/audit`: searches the audit log.

use domain::Time;
use domain::access::can;
use schemars::JsonSchema;
use serde::Deserialize;
use store::org::audits;

use super::{EntryView, Wanted};
use crate::http::body::Query;
use crate::http::caller::Caller;
use crate::http::cursor;
use crate::http::error::Result;
use crate::http::reply::{Found, Page};

/// What to look for, and which page.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SearchAudit {
    /// Who did it, or for whom: an id.
    actor: Option<String>,
    /// What was done, such as `team.created`.
    action: Option<String>,
    /// To what: an id.
    object: Option<String>,
    /// Not before this time.
    from: Option<Time>,
    /// Before this time.
    until: Option<Time>,
    /// At most so many; 50 when left out, 200 at the most.
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

pub(crate) async fn list(
    caller: Caller<can::AuditRead>,
    Query(query): Query<SearchAudit>,
) -> Result<Found<Page<EntryView>>> {
    let SearchAudit { actor, action, object, from, until, limit, cursor } = query;
    let wanted = Wanted { actor, action, object, from, until };
    let limit = cursor::limit(limit)?;
    let bound = caller.list("audit", &wanted);
    let below = bound.read(cursor.as_deref())?.unwrap_or(i64::MAX);
    // What was decided in the control database is in the log once it is delivered.
    caller.store().deliver(caller.org()).await?;
    let mut tx = caller.read().await?;
    let rows = audits::list(&mut tx, wanted.into(), below, limit + 1).await?;
    Ok(Found(bound.page(rows, limit, |entry| entry.seq).map(EntryView::from)))
}
