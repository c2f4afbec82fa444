//! Balances: read from their counters, or derived from the rows when there is no counter.

use domain::limits::Counted;
use store::ledger::balances::{self, Balance};
use store::ledger::{Page, entries, holds};

use crate::limit::{Exchange, Limit};

/// The balance of a limit, and whether it had to be derived: that is done, and written down, when nobody has done so yet in its
/// period.
/// # Errors
/// As the database.
pub async fn load(page: &mut Page<'_>, limit: &Limit) -> store::Result<(Balance, bool)> {
    if let Some(found) = balances::find(page, limit.key, limit.span.from).await? {
        return Ok((found, false));
    }
    let derived = derive(page, limit).await?;
    balances::put(page, limit.key, limit.span.from, derived).await?;
    Ok((derived, true))
}

/// The balance of a limit as the rows have it.
/// # Errors
/// As the database.
pub async fn derive(page: &mut Page<'_>, limit: &Limit) -> store::Result<Balance> {
    let settled = match &limit.exchange {
        Some(exchange) if limit.key.counted == Counted::Cost => in_currency(page, limit, exchange).await?,
        _ => {
            let sums = entries::sums(page, limit.span, limit.counts).await?;
            let counted = sums.iter().filter(|sum| limit.counts_team(sum.team_id));
            counted.map(|sum| sum.amounts().get(limit.key.counted)).fold(0, i64::saturating_add)
        }
    };
    let holds = holds::list(page).await?;
    let held = holds.iter().filter(|(hold, _)| limit.counts_hold(hold)).map(|(hold, _)| limit.takes(&hold.amounts));
    Ok(Balance { held: held.fold(0, i64::saturating_add), settled })
}

/// The sum in another currency: each row at the rate that stands on it, or at today's when it was charged to no such budget.
async fn in_currency(page: &mut Page<'_>, limit: &Limit, today: &Exchange) -> store::Result<i64> {
    let rows = entries::costs(page, limit.span, limit.counts).await?;
    let counted = rows.iter().filter(|row| limit.counts_team(row.team_id));
    let amounts = counted.map(|row| {
        let rates: Vec<Exchange> =
            row.exchange.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        rates.iter().find(|rate| rate.currency == today.currency).unwrap_or(today).of(row.cost_micros)
    });
    Ok(amounts.fold(0, i64::saturating_add))
}
