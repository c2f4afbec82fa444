//! `GET /api/v1/operator/orgs`: lists all organisations.

use schemars::JsonSchema;
use serde::Deserialize;
use store::control::organisations;

use crate::http::body::Query;
use crate::http::caller::Operator;
use crate::http::cursor;
use crate::http::error::Result;
use crate::http::reply::{Found, Page};
use crate::orgs::OrgView;

/// Which page.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListOrgs {
    /// At most so many; 50 when left out, 200 at the most.
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

pub(crate) async fn list(operator: Operator, Query(query): Query<ListOrgs>) -> Result<Found<Page<OrgView>>> {
    let limit = cursor::limit(query.limit)?;
    let bound = operator.person().list("operator/orgs");
    let after = bound.read(query.cursor.as_deref())?;
    let mut tx = operator.person().store().read_control().await?;
    let rows = organisations::list(&mut tx, after, limit + 1).await?;
    Ok(Found(bound.page(rows, limit, |organisation| organisation.id).map(OrgView::from)))
}
