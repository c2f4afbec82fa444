//! Budgets: how much money may be spent in a period, by whom or where. What is spent stands in the books, not here.

use domain::limits::{Level, Period};
use domain::money::Currency;
use domain::{ApiKeyId, BudgetId, Id, Time, UserId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Tx;
use crate::sql::{Bind, Json, Kind, Transaction, Value, after_id};
use crate::{Error, OrNotFound, Result};

/// Whether a budget stops what would exceed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Strictness {
    /// It refuses what does not fit.
    Hard,
    /// It only warns.
    Soft,
}

impl Strictness {
    /// The name in the API and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hard => "hard",
            Self::Soft => "soft",
        }
    }
}

/// A budget.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    /// The id.
    pub id: BudgetId,
    /// Where it stands.
    pub level: Level,
    /// The team, project, person, key or agent; none for the organisation.
    pub subject: Option<Subject>,
    /// For how long it counts.
    pub period: Period,
    /// How much may be spent, in millionths of the currency.
    pub amount_micros: i64,
    /// The currency.
    pub currency: Currency,
    /// Whether it stops what would exceed it.
    pub kind: Strictness,
    /// At how many percent somebody is told.
    pub alerts: Json<Vec<i64>>,
    /// What was granted on top for a time, in millionths of the currency.
    pub increase_micros: i64,
    /// Until when.
    pub increase_until: Option<Time>,
    /// By whom.
    pub increase_by: Option<UserId>,
    /// Who made the budget.
    pub made_by: UserId,
    /// Counts changes, for ETags.
    pub version: i64,
    /// When it was made.
    pub created_at: Time,
    /// When it was last changed.
    pub updated_at: Time,
}

impl Budget {
    /// The most that may be spent at a time: the amount, and what was granted on top while that holds.
    #[must_use]
    pub fn cap_at(&self, now: Time) -> i64 {
        let more = if self.increase_until.is_some_and(|until| now < until) { self.increase_micros } else { 0 };
        self.amount_micros.saturating_add(more)
    }
}

/// The UUID inside the id of what a budget limits. Which kind of id it is, the budget's level says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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
/// [`Error::Refused`] when a field is none of what it may be.
pub async fn insert(tx: &mut Tx, budget: &Budget) -> Result<()> {
    add(tx.transaction(), budget).await
}

pub(crate) async fn add(tx: &mut Transaction, budget: &Budget) -> Result<()> {
    tx.sql(
        "INSERT INTO budgets (id, level, subject, period, amount_micros, currency, kind, alerts, increase_micros, increase_until,
                              increase_by, made_by, version, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14)",
    )
    .bind(budget.id)
    .bind(budget.level.as_str())
    .bind(budget.subject)
    .bind(budget.period.as_str())
    .bind(budget.amount_micros)
    .bind(budget.currency.as_str())
    .bind(budget.kind.as_str())
    .bind(budget.alerts.text())
    .bind(budget.increase_micros)
    .bind(budget.increase_until)
    .bind(budget.increase_by)
    .bind(budget.made_by)
    .bind(budget.version)
    .bind(budget.created_at)
    .run()
    .await?;
    Ok(())
}

/// All budgets, by id, at most `limit` after the one given.
/// # Errors
/// As the database.
pub async fn list(tx: &mut Tx, after: Option<BudgetId>, limit: i64) -> Result<Vec<Budget>> {
    tx.sql(
        "SELECT id, level, subject, period, amount_micros, currency, kind, alerts, increase_micros, increase_until, increase_by,
                made_by, version, created_at, updated_at
         FROM budgets WHERE id > $1 ORDER BY id LIMIT $2",
    )
    .bind(after_id(after))
    .bind(limit)
    .all()
    .await
}

/// Whether a budget stands on a key.
/// # Errors
/// As the database.
pub async fn is_on_key(tx: &mut Tx, key: ApiKeyId) -> Result<bool> {
    tx.sql("SELECT EXISTS (SELECT 1 FROM budgets WHERE level = 'key' AND subject = $1)").bind(key).one().await
}

/// The budgets that stand on a key.
pub(crate) async fn on_key(tx: &mut Transaction, key: ApiKeyId) -> Result<Vec<Budget>> {
    tx.sql(
        "SELECT id, level, subject, period, amount_micros, currency, kind, alerts, increase_micros, increase_until, increase_by,
                made_by, version, created_at, updated_at
         FROM budgets WHERE level = 'key' AND subject = $1 ORDER BY id",
    )
    .bind(key)
    .all()
    .await
}

/// How many budgets there are.
/// # Errors
/// As the database.
pub async fn count(tx: &mut Tx) -> Result<i64> {
    tx.sql("SELECT count(*) FROM budgets").one().await
}

/// The budget with this id.
/// # Errors
/// [`Error::NotFound`] when there is none.
pub async fn get(tx: &mut Tx, id: BudgetId) -> Result<Budget> {
    tx.sql(
        "SELECT id, level, subject, period, amount_micros, currency, kind, alerts, increase_micros, increase_until, increase_by,
                made_by, version, created_at, updated_at
         FROM budgets WHERE id = $1",
    )
    .bind(id)
    .optional()
    .await
    .or_not_found("budget")
}

/// Writes back what can change of a budget; counts the version up.
/// # Errors
/// [`Error::Stale`] when the version is not the one given.
pub async fn update(tx: &mut Tx, budget: &Budget) -> Result<()> {
    let now = tx.now();
    let changed = tx
        .sql(
            "UPDATE budgets SET amount_micros = $2, kind = $3, alerts = $4, increase_micros = $5, increase_until = $6,
                                increase_by = $7, version = version + 1, updated_at = $8
             WHERE id = $1 AND version = $9",
        )
        .bind(budget.id)
        .bind(budget.amount_micros)
        .bind(budget.kind.as_str())
        .bind(budget.alerts.text())
        .bind(budget.increase_micros)
        .bind(budget.increase_until)
        .bind(budget.increase_by)
        .bind(now)
        .bind(budget.version)
        .run()
        .await?;
    if changed == 0 { Err(Error::Stale("budget")) } else { Ok(()) }
}

/// Takes a budget away. What was spent stays in the books.
/// # Errors
/// As the database.
pub async fn delete(tx: &mut Tx, id: BudgetId) -> Result<bool> {
    remove(tx.transaction(), id).await
}

pub(crate) async fn remove(tx: &mut Transaction, id: BudgetId) -> Result<bool> {
    Ok(tx.sql("DELETE FROM budgets WHERE id = $1").bind(id).run().await? == 1)
}
