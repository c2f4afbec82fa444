//! `PUT` and `DELETE /api/v1/budgets/{id}/increase`: grants more for a time, and ends that. Who grants it has approved it.

use domain::access::can;
use domain::money::Micros;
use domain::text::Reason;
use domain::{BudgetId, Time};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use store::audit::Event;
use store::org::budgets::{self, Budget};

use super::BudgetView;
use super::standing::{changed, standing};
use crate::http::body::{Body, IfMatch, Path};
use crate::http::caller::Caller;
use crate::http::error::{Problem, Result};
use crate::http::reply::{Found, Versioned};

/// How much more, until when, and why. Takes the place of what was granted before.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct IncreaseBudget {
    amount_micros: Micros,
    until: Time,
    reason: Reason,
}

pub(crate) async fn put(
    caller: Caller<can::BudgetsWrite>,
    Path(id): Path<BudgetId>,
    expected: IfMatch,
    Body(body): Body<IncreaseBudget>,
) -> Result<Versioned<Found<BudgetView>>> {
    if body.until <= caller.ambient().now() {
        return Err(Problem::field("until", "must lie in the future"));
    }
    if body.amount_micros.get() == 0 {
        return Err(Problem::field("amount_micros", "must be more than 0"));
    }
    let detail = json!({ "amount_micros": body.amount_micros, "until": body.until, "reason": body.reason });
    let event = Event::new("budget.increased", id).detail(detail);
    let approver = caller.user();
    change(&caller, id, expected, event, |budget| {
        budget.increase_micros = body.amount_micros.get();
        budget.increase_until = Some(body.until);
        budget.increase_by = Some(approver);
    })
    .await
}

pub(crate) async fn delete(
    caller: Caller<can::BudgetsWrite>,
    Path(id): Path<BudgetId>,
    expected: IfMatch,
) -> Result<Versioned<Found<BudgetView>>> {
    let event = Event::new("budget.increase_ended", id);
    change(&caller, id, expected, event, |budget| {
        budget.increase_micros = 0;
        budget.increase_until = None;
        budget.increase_by = None;
    })
    .await
}

async fn change(
    caller: &Caller<can::BudgetsWrite>,
    id: BudgetId,
    expected: IfMatch,
    event: Event,
    apply: impl FnOnce(&mut Budget),
) -> Result<Versioned<Found<BudgetView>>> {
    let known = budgets::get(&mut caller.read().await?, id).await?;
    let standing = standing(caller, &known).await?;
    let mut tx = caller.begin().await?;
    let before = budgets::get(&mut tx, id).await?;
    expected.check(before.version)?;
    let mut budget = before.clone();
    apply(&mut budget);
    budgets::update(&mut tx, &budget).await?;
    let budget = budgets::get(&mut tx, id).await?;
    tx.record(event.before(&before).after(&budget)).await?;
    let view = BudgetView::of(budget.clone(), standing.as_ref(), caller.ambient().now());
    let reply = caller.commit(tx, Versioned(budget.version, Found(view))).await?;
    changed(caller, &budget).await;
    Ok(reply)
}
