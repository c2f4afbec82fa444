//! `GET /api/v1/operator/orgs`: lists all organisations.

use std::collections::BTreeMap;

use domain::OrgId;
use schemars::JsonSchema;
use serde::Deserialize;
use store::control::frozen::Frozen;
use store::control::{frozen, organisations};

use super::{Look, OperatedOrg, Outlines};
use crate::http::body::Query;
use crate::http::caller::Operator;
use crate::http::cursor;
use crate::http::error::Result;
use crate::http::reply::{Found, Page};

/// Which page.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListOrgs {
    /// At most so many; 50 when left out, 200 at the most.
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

pub(crate) async fn list(operator: Operator, Query(query): Query<ListOrgs>) -> Result<Found<Page<OperatedOrg>>> {
    let limit = cursor::limit(query.limit)?;
    let bound = operator.person().list("operator/orgs");
    let after = bound.read(query.cursor.as_deref())?;
    let store = operator.person().store();
    let mut tx = store.read_control().await?;
    let rows = organisations::list(&mut tx, after, limit + 1).await?;
    let cold = frozen::list(&mut tx, after, limit + 1).await?;
    let mut cold: BTreeMap<OrgId, Frozen> = cold.into_iter().map(|one| (one.org_id, one)).collect();
    let page = bound.page(rows, limit, |organisation| organisation.id);
    let (Some(first), Some(last)) = (page.data.first(), page.data.last()) else {
        return Ok(Found(Page { data: Vec::new(), next_cursor: None }));
    };
    let outlines = Outlines::read(store, &mut tx, first.id, last.id).await?;
    drop(tx);
    let mut data = Vec::with_capacity(page.data.len());
    for organisation in page.data {
        let frozen = cold.remove(&organisation.id);
        data.push(outlines.of(organisation, frozen, Look::Brief).await);
    }
    Ok(Found(Page { data, next_cursor: page.next_cursor }))
}
