//! From what names a balance to the limit that it belongs to, in whichever of its periods.

use domain::limits::{LimitKey, Period};
use domain::{ApiKeyId, BudgetId, Id, Time};
use store::control::api_keys::{self, ApiKey};
use store::org::budgets::{self, Budget};
use store::{KeyLimits, Scope, Store};

use crate::limit::Limit;
use crate::rules::{Rules, Unclear};

/// A limit, and where it comes from.
#[derive(Debug, Clone)]
pub struct Known {
    /// The limit in the period that was asked for.
    pub limit: Limit,
    /// Where it comes from.
    pub source: Source,
}

/// Where a limit comes from.
#[derive(Debug, Clone)]
pub enum Source {
    /// The organisation's plan.
    Plan,
    /// A budget.
    Budget(Box<Budget>),
    /// An API key's own limits.
    Key(Box<ApiKey>),
}

/// The limit that a name belongs to, in the period that began at a time; none when it is gone.
/// # Errors
/// [`Unclear::NoRate`] when it cannot be kept; as the databases.
pub async fn find(
    store: &Store,
    rules: &Rules,
    scope: &Scope,
    name: LimitKey,
    starts_at: Time,
) -> Result<Option<Known>, Unclear> {
    let of_org = rules.of(scope).await?;
    let uuid = name.id.uuid();
    let is_it = |limit: &Limit| limit.key == name && limit.span.from == starts_at;
    let known = |limit: Option<Limit>, source: Source| limit.map(|limit| Known { limit, source });
    if uuid == scope.org().uuid() {
        let plan = of_org.of_plan(scope, &[name.counted], starts_at).into_iter().find(is_it);
        return Ok(known(plan, Source::Plan));
    }
    let mut tx = store.open(scope).read().await?;
    match budgets::get(&mut tx, BudgetId::from_uuid(uuid)).await {
        Ok(budget) => {
            drop(tx);
            let span = of_org.span(budget.period, starts_at);
            let limit = Limit { span, ..rules.limit_of(scope, &budget).await? };
            return Ok(known(Some(limit).filter(is_it), Source::Budget(Box::new(budget))));
        }
        Err(store::Error::NotFound(_)) => drop(tx),
        Err(error) => return Err(error.into()),
    }
    let mut tx = store.read_control().await?;
    let key = match api_keys::get(&mut tx, scope.org(), ApiKeyId::from_uuid(uuid)).await {
        Ok(key) => key,
        Err(store::Error::NotFound(_)) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    drop(tx);
    let own = KeyLimits {
        rate_per_minute: None,
        calls_per_day: key.calls_per_day,
        budget_micros: key.budget_micros,
        currency: key.currency.as_deref().and_then(|text| text.parse().ok()),
    };
    let limit = rules.of_key(&of_org, key.id, &own, &[name.counted], starts_at)?.into_iter().find(is_it);
    Ok(known(limit, Source::Key(Box::new(key))))
}

/// For how long a limit counts.
#[must_use]
pub fn period(known: &Known) -> Period {
    match &known.source {
        Source::Budget(budget) => budget.period,
        Source::Plan | Source::Key(_) => match known.limit.span.until {
            None => Period::Total,
            Some(until) if until.since(known.limit.span.from).as_secs() <= 25 * 3600 => Period::Day,
            Some(_) => Period::Month,
        },
    }
}
