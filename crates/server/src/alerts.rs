//! Telling people and webhooks that thresholds of limits were passed. Each is told once: the books know which were not, and the id of
//! a mail or a message follows from what it is about, so whoever tells twice changes nothing.
//!
//! An organisation's turn is one batch of them; then it waits behind the others.

use domain::events::EventType;
use domain::limits::{Counted, Level, LimitKey, Period};
use domain::{AgentId, ApiKeyId, Id, ProjectId, RunId, TeamId, UserId};
use metering::forecast;
use metering::known::{self, Known, Source};
use metering::rules::Unclear;
use serde_json::json;
use store::Scope;
use store::control::memberships;
use store::ledger::alerts::{self, Alert};
use store::org::budgets::{Budget, Strictness};
use store::org::webhook_messages::{self, Event};
use store::org::{projects, teams};
use tenancy::alerts::Passed;

use crate::App;
use crate::untold::{Told, Untold};

/// Tells of all that is passed, for as long as it runs.
pub(crate) async fn run(app: App) {
    let Some(news) = app.take_alerts() else { return };
    let mut untold = Untold::new(news);
    while let Some(turn) = untold.next().await {
        let told = tell(&app, &turn.scope).await.unwrap_or_else(|error| {
            tracing::error!(org = %turn.scope.org(), %error, "thresholds of limits could not be told and will be tried again");
            Told::Failed
        });
        untold.end(turn, told);
    }
}

/// Why something that was passed could not be told.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failed {
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error(transparent)]
    Tenancy(#[from] tenancy::Error),
}

/// Tells of some thresholds, the oldest. Webhooks hear of each; people of the highest that a limit passed, when it passed several at once.
async fn tell(app: &App, scope: &Scope) -> Result<Told, Failed> {
    let store = &app.house.store;
    let mut tx = store.read_ledger(scope).await?;
    let untold = alerts::untold(&mut tx.page(scope)?).await?;
    drop(tx);
    for alert in &untold {
        let name = LimitKey { id: alert.limit_id, counted: alert.counted };
        let found = match known::find(store, &app.rules, scope, name, alert.starts_at).await {
            Ok(found) => found,
            // Nothing can be spent on it either; nobody is told what nobody can reckon.
            Err(Unclear::NoRate(_)) => None,
            Err(Unclear::Store(error)) => return Err(error.into()),
        };
        if let Some(known) = found {
            let (passed, event) = describe(app, scope, alert, &known).await?;
            if is_highest(alert, &untold) {
                tenancy::alerts::tell(&app.house, scope.org(), &passed).await?;
            }
            let mut tx = store.open(scope).begin().await?;
            webhook_messages::announce(&mut tx, &event).await?;
            tx.commit().await?;
        }
        let mut tx = store.begin_ledger(scope).await?;
        alerts::told(&mut tx.page(scope)?, alert).await?;
        tx.commit().await?;
    }
    Ok(if untold.is_empty() { Told::All } else { Told::More })
}

/// Whether none of the thresholds that are told with it is a higher one of the same limit in the same period.
fn is_highest(alert: &Alert, all: &[Alert]) -> bool {
    let limit = |alert: &Alert| (alert.limit_id, alert.counted, alert.starts_at);
    all.iter().all(|other| limit(other) != limit(alert) || other.percent <= alert.percent)
}

/// What was passed, in words for people and as an event for programs.
async fn describe(app: &App, scope: &Scope, alert: &Alert, known: &Known) -> Result<(Passed, Event), Failed> {
    let (limit, now) = (&known.limit, app.house.store.ambient().now());
    let balance = app.books.look(scope, std::slice::from_ref(limit)).await?;
    let used = balance.first().map_or(0, |balance| balance.settled);
    let since = app.rules.of(scope).await?.since();
    let currency = limit.exchange.as_ref().map(|exchange| exchange.currency.to_string());
    let amount = |number: i64| match limit.key.counted {
        Counted::Cost => format!("{} {}", money(number), currency.as_deref().unwrap_or("USD")),
        other => format!("{number} {other}"),
    };
    let exhausted_at = forecast::exhausted_at(limit.span, since, limit.cap, used, now);
    let passed = Passed {
        limit_id: alert.limit_id,
        counted: alert.counted.to_string(),
        what: words(app, scope, known).await?,
        percent: alert.percent,
        used: amount(used),
        limit: amount(limit.cap),
        hard: limit.hard,
        starts_at: alert.starts_at,
        resets_at: limit.span.until,
        exhausted_at,
        at: alert.at,
    };
    let data = json!({
        "organization_id": scope.org(),
        "budget_id": budget_of(known).map(|budget| budget.id),
        "level": level_of(known),
        "subject_id": subject_of(known),
        "counted": alert.counted,
        "unit": if alert.counted == Counted::Cost { "micros" } else { alert.counted.as_str() },
        "currency": (alert.counted == Counted::Cost).then(|| currency.unwrap_or_else(|| "USD".into())),
        "percent": alert.percent,
        "used": used,
        "limit": limit.cap,
        "kind": if limit.hard { Strictness::Hard } else { Strictness::Soft },
        "period": known::period(known),
        "starts_at": alert.starts_at,
        "resets_at": limit.span.until,
        "exhausted_at": exhausted_at,
    });
    let Alert { limit_id, counted, starts_at, percent, at } = alert;
    let once = Some(format!("{limit_id}\n{counted}\n{}\n{percent}", starts_at.micros()));
    Ok((passed, Event { event: event_of(alert, known), at: *at, once, data }))
}

/// What happened: what costs money is a budget, a key's own too; all else is a quota.
fn event_of(alert: &Alert, known: &Known) -> EventType {
    let is_budget = alert.counted == Counted::Cost && !matches!(known.source, Source::Plan);
    match (is_budget, alert.percent >= 100) {
        (true, false) => EventType::BudgetThreshold,
        (true, true) => EventType::BudgetExhausted,
        (false, false) => EventType::QuotaThreshold,
        (false, true) => EventType::QuotaExhausted,
    }
}

fn budget_of(known: &Known) -> Option<&Budget> {
    match &known.source {
        Source::Budget(budget) => Some(budget),
        Source::Plan | Source::Key(_) => None,
    }
}

fn level_of(known: &Known) -> Level {
    match &known.source {
        Source::Plan => Level::Organization,
        Source::Budget(budget) => budget.level,
        Source::Key(_) => Level::Key,
    }
}

/// The id of the team, project, person, key or agent that is limited; none for the organisation.
fn subject_of(known: &Known) -> Option<String> {
    let budget = match &known.source {
        Source::Plan => return None,
        Source::Key(key) => return Some(key.id.to_string()),
        Source::Budget(budget) => budget,
    };
    let uuid = budget.subject?.0;
    Some(match budget.level {
        Level::Organization => return None,
        Level::Team => TeamId::from_uuid(uuid).to_string(),
        Level::Project => ProjectId::from_uuid(uuid).to_string(),
        Level::User => UserId::from_uuid(uuid).to_string(),
        Level::Key => ApiKeyId::from_uuid(uuid).to_string(),
        Level::Agent => AgentId::from_uuid(uuid).to_string(),
        Level::Run => RunId::from_uuid(uuid).to_string(),
    })
}

/// An amount in millionths as people read it: two decimals, or as many as it has.
fn money(micros: i64) -> String {
    let (whole, part) = (micros / 1_000_000, (micros % 1_000_000).abs());
    let decimals = format!("{part:06}");
    let decimals = decimals.trim_end_matches('0');
    format!("{whole}.{decimals:0<2}")
}

/// What a limit is, in words.
async fn words(app: &App, scope: &Scope, known: &Known) -> Result<String, Failed> {
    let kind = match known::period(known) {
        Period::Day => "daily",
        Period::Week => "weekly",
        Period::Month => "monthly",
        Period::Total => "total",
    };
    Ok(match &known.source {
        Source::Plan => format!("The plan's {kind} limit of {}", known.limit.key.counted),
        Source::Key(key) => match known.limit.key.counted {
            Counted::Cost => format!("The {kind} budget of the API key \"{}\"", key.name),
            counted => format!("The {kind} limit of {counted} of the API key \"{}\"", key.name),
        },
        Source::Budget(budget) => format!("The {kind} budget{}", place(app, scope, budget).await?),
    })
}

/// Where a budget stands, in words; what is gone has no name any more.
async fn place(app: &App, scope: &Scope, budget: &Budget) -> Result<String, Failed> {
    let Some(subject) = budget.subject.map(|subject| subject.0) else { return Ok(String::new()) };
    let store = &app.house.store;
    let mut tx = store.open(scope).read().await?;
    Ok(match budget.level {
        Level::Team => {
            let team = teams::find(&mut tx, TeamId::from_uuid(subject)).await?;
            format!(" of the team \"{}\"", team.map(|team| team.name.to_string()).unwrap_or_default())
        }
        Level::Project => {
            let project = projects::find(&mut tx, ProjectId::from_uuid(subject)).await?;
            format!(" of the project \"{}\"", project.map(|project| project.name.to_string()).unwrap_or_default())
        }
        Level::User => {
            drop(tx);
            let user = UserId::from_uuid(subject);
            match memberships::get(&mut store.read_control().await?, scope.org(), user).await {
                Ok(member) => format!(" of {}", member.name),
                Err(store::Error::NotFound(_)) => " of a former member".into(),
                Err(error) => return Err(error.into()),
            }
        }
        Level::Key => " of an API key".into(),
        Level::Agent => " of an agent".into(),
        Level::Organization | Level::Run => String::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::money;

    #[test]
    fn money_is_written_exactly() {
        let written = [0, 1, 10_000, 1_000_000, 1_234_567, 12_500_000].map(money);
        assert_eq!(written, ["0.00", "0.000001", "0.01", "1.00", "1.234567", "12.50"]);
    }
}
