//! Checking the books: what each row cost follows from its tokens, model and price list; what each counter says follows from the rows.

use domain::limits::LimitKey;
use domain::prices::{Prices, TokenCount};
use store::ledger::Page;
use store::ledger::balances::{self, Balance, Counter};
use store::ledger::entries::{self, Entry, Search};
use store::{Scope, Store};

use crate::balance;
use crate::known;
use crate::limit::Limit;
use crate::rules::{Rules, Unclear};

/// Rows read at a time.
const BATCH: i64 = 1000;

/// What a check of an organisation's books came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verified {
    /// Rows of the usage log.
    pub entries: u64,
    /// Of these, those whose price stands in no list: prices that an organisation set for its own keys.
    pub unlisted: u64,
    /// Counters that were compared with the rows.
    pub counters: u64,
    /// Counters that cannot be: their limit is gone, or its currency had another rate when it was made.
    pub skipped: u64,
    /// The first thing that is wrong.
    pub fault: Option<String>,
}

/// Checks the books of a scope's organisation, all of one moment.
/// # Errors
/// As the databases. What is wrong is no error, but what was found.
pub async fn verify(store: &Store, rules: &Rules, scope: &Scope) -> store::Result<Verified> {
    let mut verified = Verified::default();
    let mut tx = store.read_ledger(scope).await?;
    let mut page = tx.page(scope)?;
    let mut before = None;
    loop {
        let rows = entries::list(&mut page, &Search::default(), before, BATCH).await?;
        let Some(last) = rows.last() else { break };
        before = Some((last.id, last.attempt));
        for row in &rows {
            verified.entries += 1;
            match recomputed(rules.prices(), row) {
                Some(cost) if cost != row.cost_micros => {
                    verified.fault = Some(format!(
                        "{} attempt {}: the row says {} micros, {} tokens of {} by the list {} are {cost}",
                        row.id, row.attempt, row.cost_micros, row.tokens, row.model, row.price
                    ));
                    return Ok(verified);
                }
                Some(_) => {}
                None => verified.unlisted += 1,
            }
        }
    }
    let mut after: Option<Counter> = None;
    loop {
        let counters = balances::list(&mut page, after.as_ref(), BATCH).await?;
        let Some(last) = counters.last() else { break };
        after = Some(*last);
        for counter in &counters {
            let key = LimitKey { id: counter.limit_id, counted: counter.counted };
            let limit = match known::find(store, rules, scope, key, counter.starts_at).await {
                Ok(found) => found.map(|known| known.limit),
                Err(Unclear::NoRate(_)) => None,
                Err(Unclear::Store(error)) => return Err(error),
            };
            let Some(derived) = derived(&mut page, limit).await? else {
                verified.skipped += 1;
                continue;
            };
            verified.counters += 1;
            let counted = Balance { held: counter.held, settled: counter.settled };
            if derived != counted {
                let Counter { limit_id, counted: what, starts_at, held, settled } = counter;
                verified.fault = Some(format!(
                    "{what} of {limit_id} since {starts_at}: the counter says {settled} used and {held} held, the rows say {} and {}",
                    derived.settled, derived.held
                ));
                return Ok(verified);
            }
        }
    }
    Ok(verified)
}

/// What a row cost by its price list; none when no list has its price.
fn recomputed(prices: &Prices, row: &Entry) -> Option<i64> {
    if row.price.is_empty() || (row.tokens == 0 && row.cost_micros == 0) {
        // What has no price costs nothing; nor does what came to nothing.
        return Some(0);
    }
    let quote = prices.quote_of(&row.model, &row.price)?;
    let whole = |tokens: i64| u64::try_from(tokens).unwrap_or(0);
    let tokens = TokenCount {
        input: whole(row.input_tokens),
        cached: whole(row.cached_tokens),
        written: whole(row.written_tokens),
        written_long: whole(row.written_long_tokens),
        output: whole(row.output_tokens),
    };
    Some(quote.price.cost(tokens, u32::try_from(row.percent).unwrap_or(u32::MAX)))
}

/// What the rows say of a limit; none when they do not tell, since some carry no rate of its currency.
async fn derived(page: &mut Page<'_>, limit: Option<Limit>) -> store::Result<Option<Balance>> {
    let Some(limit) = limit else { return Ok(None) };
    if let Some(exchange) = &limit.exchange {
        let rate = format!("\"currency\":\"{}\"", exchange.currency);
        let rows = entries::costs(page, limit.span, limit.counts).await?;
        let mut counted = rows.iter().filter(|row| limit.counts_team(row.team_id));
        if counted.any(|row| !row.exchange.as_deref().is_some_and(|text| text.contains(&rate))) {
            return Ok(None);
        }
    }
    balance::derive(page, &limit).await.map(Some)
}
