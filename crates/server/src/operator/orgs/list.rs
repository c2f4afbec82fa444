//! `GET /api/v1/operator/orgs`: lists all organisations.

use std::collections::BTreeMap;

use domain::OrgId;
use schemars::JsonSchema;
use serde::Deserialize;
use store::control::frozen::Frozen;
use store::control::{frozen, organisations};

use super::OperatedOrg;
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
    let mut tx = operator.person().store().read_control().await?;
    let rows = organisations::list(&mut tx, after, limit + 1).await?;
    let cold = frozen::list(&mut tx, after, limit + 1).await?;
    let mut cold: BTreeMap<OrgId, Frozen> = cold.into_iter().map(|one| (one.org_id, one)).collect();
    let page = bound.page(rows, limit, |organisation| organisation.id);
    Ok(Found(page.map(|organisation| {
        let frozen = cold.remove(&organisation.id);
        OperatedOrg::new(organisation, frozen)
    })))
}
