//! Budgets: how much money may be spent in a period, by whom or where. What is spent stands in the books; a budget says how much.
//!
//! Everybody sees the budgets that apply to them, `budgets.all` shows all. One that cannot be seen does not exist for the caller.

mod create;
mod delete;
mod get;
mod increase;
mod list;
pub(crate) mod sight;
mod standing;
mod update;

use domain::limits::{Level, Period};
use domain::money::Currency;
use domain::{AgentId, ApiKeyId, BudgetId, Id, ProjectId, TeamId, Time, UserId};
use metering::forecast;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::org::budgets::{Budget, Strictness, Subject};

use self::standing::Standing;
use crate::http::error::{Problem, Result};
use crate::routes::Routes;

pub(crate) fn routes(routes: Routes) -> Routes {
    routes
        .get("/api/v1/budgets", "Lists budgets: those that apply to the caller, or all.", list::list)
        .post("/api/v1/budgets", "Makes a budget.", create::create)
        .get("/api/v1/budgets/{id}", "Shows a budget and what is left of it.", get::get)
        .patch("/api/v1/budgets/{id}", "Changes a budget's amount, strictness or thresholds.", update::update)
        .delete("/api/v1/budgets/{id}", "Deletes a budget; what was spent stays in the books.", delete::delete)
        .put("/api/v1/budgets/{id}/increase", "Grants more for a time.", increase::put)
        .delete("/api/v1/budgets/{id}/increase", "Ends what was granted for a time.", increase::delete)
}

/// Where a budget stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum BudgetLevel {
    /// The whole organisation.
    Organization,
    /// A team with all teams below it.
    Team,
    /// A project.
    Project,
    /// A person, through whatever session or key.
    User,
    /// An API key.
    Key,
    /// An agent.
    Agent,
}

impl From<BudgetLevel> for Level {
    fn from(level: BudgetLevel) -> Self {
        match level {
            BudgetLevel::Organization => Self::Organization,
            BudgetLevel::Team => Self::Team,
            BudgetLevel::Project => Self::Project,
            BudgetLevel::User => Self::User,
            BudgetLevel::Key => Self::Key,
            BudgetLevel::Agent => Self::Agent,
        }
    }
}

/// A budget and what is left of it. Amounts are in millionths of its currency.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Budget")]
pub(crate) struct BudgetView {
    id: BudgetId,
    level: Level,
    /// The team, project, person, key or agent; null for the organisation.
    subject_id: Option<String>,
    period: Period,
    amount_micros: i64,
    currency: Currency,
    kind: Strictness,
    /// At how many percent of it somebody is told.
    alerts: Vec<i64>,
    /// What was granted on top for a time, while that holds.
    increase: Option<IncreaseView>,
    /// The most that may be spent now: the amount, and what was granted on top.
    limit_micros: i64,
    /// What was spent in this period; null when it cannot be told, because the operator took the rate of the currency away.
    used_micros: Option<i64>,
    /// What calls under way may cost at most.
    held_micros: Option<i64>,
    /// What is left.
    remaining_micros: Option<i64>,
    /// When the period began.
    starts_at: Option<Time>,
    /// When it begins anew.
    resets_at: Option<Time>,
    /// When it is used up if spending goes on as in this period so far; null when that is not within the period.
    exhausted_at: Option<Time>,
    made_by: UserId,
    created_at: Time,
    updated_at: Time,
}

/// What was granted on top of a budget.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "BudgetIncrease")]
pub(crate) struct IncreaseView {
    amount_micros: i64,
    /// Until when it holds.
    until: Time,
    /// Who granted it.
    approved_by: Option<UserId>,
}

impl BudgetView {
    fn of(budget: Budget, standing: Option<&Standing>, now: Time) -> Self {
        let limit = budget.cap_at(now);
        let balance = standing.map(|standing| standing.balance);
        let remaining = |settled: i64, held: i64| limit.saturating_sub(settled).saturating_sub(held).max(0);
        let increase = budget.increase_until.filter(|until| now < *until).map(|until| IncreaseView {
            amount_micros: budget.increase_micros,
            until,
            approved_by: budget.increase_by,
        });
        Self {
            id: budget.id,
            level: budget.level,
            subject_id: budget.subject.map(|subject| subject_text(budget.level, subject)),
            period: budget.period,
            amount_micros: budget.amount_micros,
            currency: budget.currency,
            kind: budget.kind,
            alerts: budget.alerts.0,
            increase,
            limit_micros: limit,
            used_micros: balance.map(|balance| balance.settled),
            held_micros: balance.map(|balance| balance.held),
            remaining_micros: balance.map(|balance| remaining(balance.settled, balance.held)),
            starts_at: standing.map(|standing| match standing.span.until {
                Some(_) => standing.span.from,
                None => standing.since,
            }),
            resets_at: standing.and_then(|standing| standing.span.until),
            exhausted_at: standing.and_then(|standing| {
                forecast::exhausted_at(standing.span, standing.since, limit, standing.balance.settled, now)
            }),
            made_by: budget.made_by,
            created_at: budget.created_at,
            updated_at: budget.updated_at,
        }
    }
}

/// The id of what a budget limits, as text.
fn subject_text(level: Level, Subject(uuid): Subject) -> String {
    match level {
        Level::Team => TeamId::from_uuid(uuid).to_string(),
        Level::Project => ProjectId::from_uuid(uuid).to_string(),
        Level::Key => ApiKeyId::from_uuid(uuid).to_string(),
        Level::Agent => AgentId::from_uuid(uuid).to_string(),
        Level::Organization | Level::User | Level::Run => UserId::from_uuid(uuid).to_string(),
    }
}

/// Thresholds in percent, as they are kept: rising, each once.
fn thresholds(asked: Option<Vec<u16>>) -> Result<Vec<i64>> {
    const MOST: usize = 10;
    const HIGHEST: u16 = 1000;
    let mut percents = asked.unwrap_or_else(|| vec![50, 80, 100]);
    percents.sort_unstable();
    percents.dedup();
    if percents.len() > MOST || percents.iter().any(|percent| !(1..=HIGHEST).contains(percent)) {
        return Err(Problem::field(
            "alerts",
            format!("must be at most {MOST} numbers from 1 to {HIGHEST}, in percent"),
        ));
    }
    Ok(percents.into_iter().map(i64::from).collect())
}
