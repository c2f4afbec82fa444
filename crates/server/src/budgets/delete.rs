//! `DELETE /api/v1/budgets/{id}`: deletes a budget. What was spent stays in the books.

use domain::BudgetId;
use domain::access::can;
use store::audit::Event;
use store::org::budgets;

use crate::http::body::{IfMatch, Path};
use crate::http::caller::Caller;
use crate::http::error::Result;
use crate::http::reply::Done;

pub(crate) async fn delete(
    caller: Caller<can::BudgetsWrite>,
    Path(id): Path<BudgetId>,
    expected: IfMatch,
) -> Result<Done> {
    let mut tx = caller.begin().await?;
    let budget = budgets::get(&mut tx, id).await?;
    expected.check(budget.version)?;
    budgets::delete(&mut tx, id).await?;
    tx.record(Event::new("budget.deleted", id).before(&budget)).await?;
    let done = caller.commit(tx, Done).await?;
    caller.app().rules.forget(caller.scope());
    Ok(done)
}
