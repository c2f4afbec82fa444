//! `PATCH /api/v1/budgets/{id}`: changes a budget's amount, strictness or thresholds. It holds for the next call.

use domain::BudgetId;
use domain::access::can;
use domain::money::Micros;
use schemars::JsonSchema;
use serde::Deserialize;
use store::Json;
use store::audit::Event;
use store::org::budgets::{self, Strictness};

use super::standing::{changed, standing};
use super::{BudgetView, thresholds};
use crate::http::body::{Body, IfMatch, Path};
use crate::http::caller::Caller;
use crate::http::error::Result;
use crate::http::reply::{Found, Versioned};

/// What to change; what is left out stays. Level, period and currency never change: make another budget.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateBudget {
    #[serde(default)]
    amount_micros: Option<Micros>,
    #[serde(default)]
    kind: Option<Strictness>,
    /// At how many percent somebody is told.
    #[serde(default)]
    alerts: Option<Vec<u16>>,
}

pub(crate) async fn update(
    caller: Caller<can::BudgetsWrite>,
    Path(id): Path<BudgetId>,
    expected: IfMatch,
    Body(body): Body<UpdateBudget>,
) -> Result<Versioned<Found<BudgetView>>> {
    let known = budgets::get(&mut caller.read().await?, id).await?;
    let standing = standing(&caller, &known).await?;
    let mut tx = caller.begin().await?;
    let before = budgets::get(&mut tx, id).await?;
    expected.check(before.version)?;
    let mut budget = before.clone();
    if let Some(amount) = body.amount_micros {
        budget.amount_micros = amount.get();
    }
    if let Some(kind) = body.kind {
        budget.kind = kind;
    }
    if let Some(alerts) = body.alerts {
        budget.alerts = Json(thresholds(Some(alerts))?);
    }
    budgets::update(&mut tx, &budget).await?;
    let budget = budgets::get(&mut tx, id).await?;
    tx.record(Event::new("budget.updated", id).before(&before).after(&budget)).await?;
    let view = BudgetView::of(budget.clone(), standing.as_ref(), caller.ambient().now());
    let reply = caller.commit(tx, Versioned(budget.version, Found(view))).await?;
    changed(&caller, &budget).await;
    Ok(reply)
}
