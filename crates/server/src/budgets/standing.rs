//! How budgets stand: what is used and held of each in its period now.

use domain::Time;
use domain::access::Requires;
use domain::limits::Span;
use metering::rules::Unclear;
use store::ledger::balances::Balance;
use store::org::budgets::Budget;

use crate::http::caller::Caller;
use crate::http::error::Result;

/// How a budget stands in its period.
#[derive(Debug, Clone, Copy)]
pub(super) struct Standing {
    pub(super) balance: Balance,
    pub(super) span: Span,
    /// Since when the organisation is there: a total begins then.
    pub(super) since: Time,
}

/// How budgets stand, in their order; none for one whose currency has no rate any more.
pub(super) async fn standings<P: Requires>(caller: &Caller<P>, budgets: &[Budget]) -> Result<Vec<Option<Standing>>> {
    let since = caller.app().rules.of(caller.scope()).await?.since();
    let (mut limits, mut places) = (Vec::new(), Vec::with_capacity(budgets.len()));
    for budget in budgets {
        places.push(match caller.app().rules.limit_of(caller.scope(), budget).await {
            Ok(limit) => {
                limits.push(limit);
                Some(limits.len() - 1)
            }
            Err(Unclear::NoRate(_)) => None,
            Err(Unclear::Store(error)) => return Err(error.into()),
        });
    }
    let balances =
        if limits.is_empty() { Vec::new() } else { caller.app().books.look(caller.scope(), &limits).await? };
    let standing = |place: usize| {
        let (limit, balance) = (limits.get(place)?, balances.get(place)?);
        Some(Standing { balance: *balance, span: limit.span, since })
    };
    Ok(places.into_iter().map(|place| place.and_then(standing)).collect())
}

/// How one budget stands.
pub(super) async fn standing<P: Requires>(caller: &Caller<P>, budget: &Budget) -> Result<Option<Standing>> {
    Ok(standings(caller, std::slice::from_ref(budget)).await?.pop().flatten())
}

/// After a change: it holds from the next call on, and thresholds that are passed by it are told.
pub(super) async fn changed<P: Requires>(caller: &Caller<P>, budget: &Budget) {
    caller.app().rules.forget(caller.scope());
    let watched = async {
        let Ok(limit) = caller.app().rules.limit_of(caller.scope(), budget).await else { return Ok(()) };
        caller.app().books.watch(caller.scope(), [limit].into()).await
    };
    if let Err(error) = watched.await {
        tracing::warn!(org = %caller.org(), %error, "the thresholds of a budget will be looked at when it is next used");
    }
}
