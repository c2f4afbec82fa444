//! The usage log, one row per call of a model, and the budgets that limit it.
//!
//! Money is in millionths of a currency. Amounts of different currencies do not add up, so each sum is of one.

use std::ops::RangeInclusive;

use domain::{BudgetId, Id, ProjectId, Time, UsageId, UserId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Tx;
use crate::Result;
use crate::sql::{Bind, Kind, Value, after_id};

/// One row of the usage log.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UsageRow {
    /// The id.
    pub id: UsageId,
    /// When the call began.
    pub at: Time,
    /// For whom.
    pub user_id: UserId,
    /// In which project.
    pub project_id: Option<ProjectId>,
    /// What was done.
    pub operation: String,
    /// The model that was called.
    pub model: String,
    /// Tokens the model read.
    pub input_tokens: i64,
    /// Tokens the model wrote.
    pub output_tokens: i64,
    /// What it cost, in millionths of the currency.
    pub cost_micros: i64,
    /// The currency, three letters.
    pub currency: String,
    /// How long it took, in microseconds.
    pub latency_micros: i64,
    /// `ok`, `error` or `cancelled`.
    pub outcome: String,
}

/// Adds a row to the usage log.
/// # Errors
/// [`crate::Error::Refused`] when a number is below zero, or the currency or the outcome is none.
pub async fn insert_usage(tx: &mut Tx, row: &UsageRow) -> Result<()> {
    tx.sql(
        "INSERT INTO usage (id, at, user_id, project_id, operation, model, input_tokens, output_tokens, cost_micros,
                            currency, latency_micros, outcome)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind(row.id)
    .bind(row.at)
    .bind(row.user_id)
    .bind(row.project_id)
    .bind(&row.operation)
    .bind(&row.model)
    .bind(row.input_tokens)
    .bind(row.output_tokens)
    .bind(row.cost_micros)
    .bind(&row.currency)
    .bind(row.latency_micros)
    .bind(&row.outcome)
    .unaudited("a usage row is its own record")
    .run()
    .await?;
    Ok(())
}

/// How many calls there were, not before `from` and before `until`.
/// # Errors
/// As the database.
pub async fn count_usage(tx: &mut Tx, from: Time, until: Time) -> Result<i64> {
    tx.sql("SELECT count(*) FROM usage WHERE at >= $1 AND at < $2").bind(from).bind(until).one().await
}

/// What was used and paid in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsageSum {
    /// The currency.
    pub currency: String,
    /// Tokens the models read.
    pub input_tokens: i64,
    /// Tokens the models wrote.
    pub output_tokens: i64,
    /// The cost, in millionths of the currency.
    pub cost_micros: i64,
}

/// What was used, not before `from` and before `until`; one sum per currency, none when there were no calls.
/// # Errors
/// As the database.
pub async fn sum_usage(tx: &mut Tx, from: Time, until: Time) -> Result<Vec<UsageSum>> {
    tx.sql(
        "SELECT currency, CAST(sum(input_tokens) AS BIGINT) AS input_tokens,
                CAST(sum(output_tokens) AS BIGINT) AS output_tokens, CAST(sum(cost_micros) AS BIGINT) AS cost_micros
         FROM usage WHERE at >= $1 AND at < $2 GROUP BY currency ORDER BY currency",
    )
    .bind(from)
    .bind(until)
    .all()
    .await
}

/// What a person cost in one currency, and when last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberUsage {
    /// The person.
    pub user_id: UserId,
    /// The currency.
    pub currency: String,
    /// The cost, in millionths of the currency.
    pub cost_micros: i64,
    /// When their last call began.
    pub last_at: Time,
}

/// What the people of one page of members cost since a time, by person: the page is given by its first and last person.
/// # Errors
/// As the database.
pub async fn usage_of_members(tx: &mut Tx, since: Time, page: RangeInclusive<UserId>) -> Result<Vec<MemberUsage>> {
    tx.sql(
        "SELECT user_id, currency, CAST(sum(cost_micros) AS BIGINT) AS cost_micros, max(at) AS last_at
         FROM usage WHERE at >= $1 AND user_id >= $2 AND user_id <= $3
         GROUP BY user_id, currency ORDER BY user_id, currency",
    )
    .bind(since)
    .bind(*page.start())
    .bind(*page.end())
    .all()
    .await
}

/// A budget.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BudgetRow {
    /// The id.
    pub id: BudgetId,
    /// What it limits: `organization`, `team`, `project`, `user`, `key` or `agent`.
    pub level: String,
    /// Which of them; none for the organisation.
    pub subject: Option<Subject>,
    /// For how long it is: `day`, `week`, `month` or `total`.
    pub period: String,
    /// How much may be spent, in millionths of the currency.
    pub amount_micros: i64,
    /// The currency, three letters.
    pub currency: String,
    /// `hard` when it stops what would exceed it, `soft` when it only warns.
    pub kind: String,
    /// When it was made.
    pub created_at: Time,
}

/// The UUID inside the id of what a budget limits. Which kind of id it is, the budget's level says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subject(pub Uuid);

impl Bind for Subject {
    const KIND: Kind = Kind::Uuid;
    fn value(self) -> Value {
        Value::Uuid(self.0)
    }
}

impl Serialize for Subject {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0.simple())
    }
}

impl<'de> Deserialize<'de> for Subject {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // From a column an id of any kind is the bare UUID.
        UserId::deserialize(deserializer).map(|id| Self(id.uuid()))
    }
}

/// Adds a budget.
/// # Errors
/// [`crate::Error::Refused`] when a field is none of what it may be.
pub async fn insert_budget(tx: &mut Tx, budget: &BudgetRow) -> Result<()> {
    tx.sql(
        "INSERT INTO budgets (id, level, subject, period, amount_micros, currency, kind, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(budget.id)
    .bind(&budget.level)
    .bind(budget.subject)
    .bind(&budget.period)
    .bind(budget.amount_micros)
    .bind(&budget.currency)
    .bind(&budget.kind)
    .bind(budget.created_at)
    .run()
    .await?;
    Ok(())
}

/// All budgets, by id, at most `limit` after the one given.
/// # Errors
/// As the database.
pub async fn list_budgets(tx: &mut Tx, after: Option<BudgetId>, limit: i64) -> Result<Vec<BudgetRow>> {
    tx.sql(
        "SELECT id, level, subject, period, amount_micros, currency, kind, created_at FROM budgets
         WHERE id > $1 ORDER BY id LIMIT $2",
    )
    .bind(after_id(after))
    .bind(limit)
    .all()
    .await
}
