//! `GET /api/v1/budgets`: lists the budgets that apply to the caller, or all.

use domain::access::can;
use store::org::budgets;

use super::BudgetView;
use super::sight::Sight;
use super::standing::standings;
use crate::http::body::Query;
use crate::http::caller::Local;
use crate::http::cursor::{self, Paging};
use crate::http::error::Result;
use crate::http::reply::{Found, Page};

pub(crate) async fn list(
    local: Local<can::BudgetsRead>,
    Query(query): Query<Paging>,
) -> Result<Found<Page<BudgetView>>> {
    let caller = local.each();
    let sight = Sight::of(&caller).await?;
    let limit = cursor::limit(query.limit)?;
    let bound = caller.list("budgets", &());
    let mut after = bound.read(query.cursor.as_deref())?;
    let mut visible = Vec::new();
    // Reads on until the page is full, so that what is hidden leaves no gap to count.
    loop {
        let rows = budgets::list(&mut caller.read().await?, after, limit + 1).await?;
        after = rows.last().map(|budget| budget.id);
        let whole = i64::try_from(rows.len()).unwrap_or(0) > limit;
        for budget in rows {
            if sight.sees(&budget).await? {
                visible.push(budget);
            }
        }
        if !whole || i64::try_from(visible.len()).unwrap_or(0) > limit {
            break;
        }
    }
    let page = bound.page(visible, limit, |budget| budget.id);
    let mut standings = standings(&caller, &page.data).await?.into_iter();
    let now = caller.ambient().now();
    Ok(Found(page.map(|budget| BudgetView::of(budget, standings.next().flatten().as_ref(), now))))
}
