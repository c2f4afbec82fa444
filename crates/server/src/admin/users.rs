//! `GET /api/v1/admin/users`: lists the members with their last activity and what they cost, on plans that include it.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::access::can;
use domain::plan::Feature;
use domain::{Time, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::control::memberships;
use store::ledger::entries::{self, MemberUsage};
use tenancy::entitlements;

use crate::http::body::Query;
use crate::http::caller::Caller;
use crate::http::cursor;
use crate::http::error::Result;
use crate::http::reply::{Found, Page};
use crate::members::MemberView;

/// How far back costs are summed up unless the caller says.
const USUAL: Duration = Duration::from_hours(30 * 24);

/// Which page, and since when.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListUsers {
    /// Costs since this time; the last 30 days when left out.
    since: Option<Time>,
    /// At most so many; 50 when left out, 200 at the most.
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A member with what they did and cost.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "MemberActivity")]
pub(crate) struct View {
    #[serde(flatten)]
    member: MemberView,
    /// When their last call of a model began, within the time asked for.
    last_call_at: Option<Time>,
    /// What their calls cost, one amount for each currency.
    costs: Vec<Cost>,
}

/// An amount of money.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Cost {
    currency: String,
    /// In millionths of the currency.
    cost_micros: i64,
}

pub(crate) async fn users(
    caller: Caller<can::MembersActivity>,
    Query(query): Query<ListUsers>,
) -> Result<Found<Page<View>>> {
    entitlements::require(caller.house(), caller.org(), Feature::MemberActivity).await?;
    let limit = cursor::limit(query.limit)?;
    let bound = caller.list("admin/users", &query.since);
    let after = bound.read(query.cursor.as_deref())?;
    let mut tx = caller.store().read_control().await?;
    let rows = memberships::list(&mut tx, caller.org(), after, limit + 1).await?;
    drop(tx);
    let page = bound.page(rows, limit, |member| member.user_id);
    let since = query.since.unwrap_or(caller.ambient().now() - USUAL);
    let mut used: BTreeMap<UserId, MemberUsage> = BTreeMap::new();
    if let (Some(first), Some(last)) = (page.data.first(), page.data.last()) {
        let mut tx = caller.store().read_ledger(caller.scope()).await?;
        let mut books = tx.page(caller.scope())?;
        let rows = entries::of_members(&mut books, since, first.user_id..=last.user_id).await?;
        used.extend(rows.into_iter().map(|row| (row.user_id, row)));
    }
    Ok(Found(page.map(|member| {
        let used = used.remove(&member.user_id);
        View {
            last_call_at: used.as_ref().map(|used| used.last_at),
            costs: used
                .map(|used| Cost { currency: "USD".into(), cost_micros: used.cost_micros })
                .into_iter()
                .collect(),
            member: MemberView::with_activity(member),
        }
    })))
}
