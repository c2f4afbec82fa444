//! `GET /api/v1/budgets/{id}`: shows a budget and what is left of it.

use domain::BudgetId;
use domain::access::can;

use super::BudgetView;
use super::sight::Sight;
use super::standing::standing;
use crate::http::body::Path;
use crate::http::caller::Local;
use crate::http::error::Result;
use crate::http::reply::{Found, Versioned};

pub(crate) async fn get(
    local: Local<can::BudgetsRead>,
    Path(id): Path<BudgetId>,
) -> Result<Versioned<Found<BudgetView>>> {
    let caller = local.each();
    let budget = Sight::of(&caller).await?.get(id).await?;
    let standing = standing(&caller, &budget).await?;
    let now = caller.ambient().now();
    Ok(Versioned(budget.version, Found(BudgetView::of(budget, standing.as_ref(), now))))
}
