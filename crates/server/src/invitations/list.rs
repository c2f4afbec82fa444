//! `GET /api/v1/invitations`: lists the invitations, the open ones unless all are asked for.

use domain::access::can;
use schemars::JsonSchema;
use serde::Deserialize;
use store::control::invitations;

use super::InvitationView;
use crate::http::body::Query;
use crate::http::caller::Caller;
use crate::http::cursor;
use crate::http::error::Result;
use crate::http::reply::{Found, Page};

/// Which page.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListInvitations {
    /// Whether to list those too that were accepted or revoked or have ended.
    #[serde(default)]
    all: bool,
    /// At most so many; 50 when left out, 200 at the most.
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

pub(crate) async fn list(
    caller: Caller<can::InvitationsRead>,
    Query(query): Query<ListInvitations>,
) -> Result<Found<Page<InvitationView>>> {
    let limit = cursor::limit(query.limit)?;
    let bound = caller.list("invitations", &query.all);
    let after = bound.read(query.cursor.as_deref())?;
    let mut tx = caller.store().read_control().await?;
    let rows = invitations::list(&mut tx, caller.org(), !query.all, after, limit + 1).await?;
    let now = caller.ambient().now();
    let page = bound.page(rows, limit, |invitation| invitation.id);
    Ok(Found(page.map(|invitation| InvitationView::new(invitation, now))))
}
