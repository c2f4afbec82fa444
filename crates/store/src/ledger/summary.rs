//! What was used, summed for people to read: by a column of the log, or by quarters of an hour, of which days are made in any time
//! zone.

use domain::limits::Span;
use domain::{Id, Time};
use serde::Deserialize;
use uuid::Uuid;

use super::Page;
use super::entries::{Filter, used_within, within};
use crate::Result;

/// The length of a [`by_quarter`], in microseconds. The offsets of all time zones are multiples of it.
pub const QUARTER: i64 = 15 * 60 * 1_000_000;

/// By which id the rows are summed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ById {
    /// The person.
    User,
    /// The team itself, without those below.
    Team,
    /// The project.
    Project,
    /// The agent.
    Agent,
    /// The API key.
    Key,
}

impl ById {
    const fn column(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Team => "team",
            Self::Project => "project",
            Self::Agent => "agent",
            Self::Key => "key",
        }
    }
}

/// By which text the rows are summed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ByText {
    /// The model as the upstream names it.
    Model,
    /// What was done.
    Operation,
    /// How it ended.
    Outcome,
}

impl ByText {
    const fn column(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Operation => "operation",
            Self::Outcome => "outcome",
        }
    }
}

/// Sums over rows; exact, since all are whole numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub struct Sums {
    /// The cost, in millionths of a US dollar.
    pub cost_micros: i64,
    /// Rows.
    pub operations: i64,
    /// Calls of a model.
    pub requests: i64,
    /// Tokens, together.
    pub tokens: i64,
    /// Tokens read, cached ones included.
    pub input_tokens: i64,
    /// Of these, from the upstream's cache.
    pub cached_tokens: i64,
    /// Tokens written.
    pub output_tokens: i64,
    /// Documents, removed ones taken off.
    pub documents: i64,
    /// Bytes, removed ones taken off.
    pub storage: i64,
    /// People in outreach lists, removed ones taken off.
    pub prospects: i64,
    /// Mails.
    pub mails: i64,
}

impl Sums {
    /// Both together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            cost_micros: self.cost_micros.saturating_add(other.cost_micros),
            operations: self.operations.saturating_add(other.operations),
            requests: self.requests.saturating_add(other.requests),
            tokens: self.tokens.saturating_add(other.tokens),
            input_tokens: self.input_tokens.saturating_add(other.input_tokens),
            cached_tokens: self.cached_tokens.saturating_add(other.cached_tokens),
            output_tokens: self.output_tokens.saturating_add(other.output_tokens),
            documents: self.documents.saturating_add(other.documents),
            storage: self.storage.saturating_add(other.storage),
            prospects: self.prospects.saturating_add(other.prospects),
            mails: self.mails.saturating_add(other.mails),
        }
    }
}

/// What was used by one of those by whom the rows are summed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group<K> {
    /// By whom, or with what.
    pub key: K,
    /// The sums.
    pub sums: Sums,
}

/// A row as the database gives it: rows cannot be nested there.
#[derive(Deserialize)]
struct Row<K> {
    key: K,
    cost_micros: i64,
    operations: i64,
    requests: i64,
    tokens: i64,
    input_tokens: i64,
    cached_tokens: i64,
    output_tokens: i64,
    documents: i64,
    storage: i64,
    prospects: i64,
    mails: i64,
}

impl<K> From<Row<K>> for Group<K> {
    fn from(row: Row<K>) -> Self {
        let sums = Sums {
            cost_micros: row.cost_micros,
            operations: row.operations,
            requests: row.requests,
            tokens: row.tokens,
            input_tokens: row.input_tokens,
            cached_tokens: row.cached_tokens,
            output_tokens: row.output_tokens,
            documents: row.documents,
            storage: row.storage,
            prospects: row.prospects,
            mails: row.mails,
        };
        Self { key: row.key, sums }
    }
}

/// An id of whatever kind, as a column has it.
struct AnyId(Uuid);

impl<'de> Deserialize<'de> for AnyId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        domain::UserId::deserialize(deserializer).map(|id| Self(id.uuid()))
    }
}

/// What was used in a period, by an id; none is what was used by none such.
/// # Errors
/// As the database.
pub async fn by_id(page: &mut Page<'_>, by: ById, span: Span, of: Filter) -> Result<Vec<Group<Option<Uuid>>>> {
    let statement = page
        .sql(
            "SELECT CASE $11 WHEN 'user' THEN user_id WHEN 'team' THEN team_id WHEN 'project' THEN project_id
                             WHEN 'agent' THEN agent_id ELSE key_id END AS key,
                    CAST(sum(cost_micros) AS BIGINT) AS cost_micros, count(*) AS operations,
                    CAST(sum(requests) AS BIGINT) AS requests, CAST(sum(tokens) AS BIGINT) AS tokens,
                    CAST(sum(input_tokens) AS BIGINT) AS input_tokens, CAST(sum(cached_tokens) AS BIGINT) AS cached_tokens,
                    CAST(sum(output_tokens) AS BIGINT) AS output_tokens, CAST(sum(documents) AS BIGINT) AS documents,
                    CAST(sum(storage) AS BIGINT) AS storage, CAST(sum(prospects) AS BIGINT) AS prospects,
                    CAST(sum(mails) AS BIGINT) AS mails
             FROM entries WHERE org_id = $1 AND id >= $2 AND at >= $3 AND at < $4 AND ($5 IS NULL OR user_id = $5)
               AND ($6 IS NULL OR key_id = $6) AND ($7 IS NULL OR project_id = $7) AND ($8 IS NULL OR agent_id = $8)
               AND ($9 IS NULL OR run_id = $9) AND ($10 IS NULL OR team_id = $10)
             GROUP BY 1 ORDER BY 1",
        );
    let rows: Vec<Row<Option<AnyId>>> = used_within(statement, span, of).bind(of.team).bind(by.column()).all().await?;
    let any = |row: Row<Option<AnyId>>| {
        let Group { key, sums } = row.into();
        Group { key: key.map(|id: AnyId| id.0), sums }
    };
    Ok(rows.into_iter().map(any).collect())
}

/// What was used in a period, by a text.
/// # Errors
/// As the database.
pub async fn by_text(page: &mut Page<'_>, by: ByText, span: Span, of: Filter) -> Result<Vec<Group<String>>> {
    let statement = page
        .sql(
            "SELECT CASE $11 WHEN 'model' THEN model WHEN 'operation' THEN operation ELSE outcome END AS key,
                    CAST(sum(cost_micros) AS BIGINT) AS cost_micros, count(*) AS operations,
                    CAST(sum(requests) AS BIGINT) AS requests, CAST(sum(tokens) AS BIGINT) AS tokens,
                    CAST(sum(input_tokens) AS BIGINT) AS input_tokens, CAST(sum(cached_tokens) AS BIGINT) AS cached_tokens,
                    CAST(sum(output_tokens) AS BIGINT) AS output_tokens, CAST(sum(documents) AS BIGINT) AS documents,
                    CAST(sum(storage) AS BIGINT) AS storage, CAST(sum(prospects) AS BIGINT) AS prospects,
                    CAST(sum(mails) AS BIGINT) AS mails
             FROM entries WHERE org_id = $1 AND id >= $2 AND at >= $3 AND at < $4 AND ($5 IS NULL OR user_id = $5)
               AND ($6 IS NULL OR key_id = $6) AND ($7 IS NULL OR project_id = $7) AND ($8 IS NULL OR agent_id = $8)
               AND ($9 IS NULL OR run_id = $9) AND ($10 IS NULL OR team_id = $10)
             GROUP BY 1 ORDER BY 1",
        );
    let rows: Vec<Row<String>> = used_within(statement, span, of).bind(of.team).bind(by.column()).all().await?;
    Ok(rows.into_iter().map(Group::from).collect())
}

/// What was used in a period, by quarters of an hour, of which each is given by the time at which it begins.
/// # Errors
/// As the database.
pub async fn by_quarter(page: &mut Page<'_>, span: Span, of: Filter) -> Result<Vec<Group<Time>>> {
    let statement = page
        .sql(
            "SELECT at / $11 AS key,
                    CAST(sum(cost_micros) AS BIGINT) AS cost_micros, count(*) AS operations,
                    CAST(sum(requests) AS BIGINT) AS requests, CAST(sum(tokens) AS BIGINT) AS tokens,
                    CAST(sum(input_tokens) AS BIGINT) AS input_tokens, CAST(sum(cached_tokens) AS BIGINT) AS cached_tokens,
                    CAST(sum(output_tokens) AS BIGINT) AS output_tokens, CAST(sum(documents) AS BIGINT) AS documents,
                    CAST(sum(storage) AS BIGINT) AS storage, CAST(sum(prospects) AS BIGINT) AS prospects,
                    CAST(sum(mails) AS BIGINT) AS mails
             FROM entries WHERE org_id = $1 AND id >= $2 AND at >= $3 AND at < $4 AND ($5 IS NULL OR user_id = $5)
               AND ($6 IS NULL OR key_id = $6) AND ($7 IS NULL OR project_id = $7) AND ($8 IS NULL OR agent_id = $8)
               AND ($9 IS NULL OR run_id = $9) AND ($10 IS NULL OR team_id = $10)
             GROUP BY 1 ORDER BY 1",
        );
    let rows: Vec<Row<i64>> = used_within(statement, span, of).bind(of.team).bind(QUARTER).all().await?;
    let quarter = |row: Row<i64>| {
        let Group { key, sums } = row.into();
        Group { key: Time::from_micros(key * QUARTER), sums }
    };
    Ok(rows.into_iter().map(quarter).collect())
}

/// A line of an invoice: all rows of one model at one price.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Line {
    /// What was done.
    pub operation: String,
    /// The upstream.
    pub upstream: String,
    /// The model as the upstream names it.
    pub model: String,
    /// The version of the price list.
    pub price: String,
    /// Percent of the price.
    pub percent: i64,
    /// Rows.
    pub operations: i64,
    /// Tokens read, cached ones included.
    pub input_tokens: i64,
    /// Of these, from the upstream's cache.
    pub cached_tokens: i64,
    /// Of these, into the upstream's cache.
    pub written_tokens: i64,
    /// Of those written, for an hour.
    pub written_long_tokens: i64,
    /// Tokens written.
    pub output_tokens: i64,
    /// The cost, in millionths of a US dollar.
    pub cost_micros: i64,
}

/// What was used in a period, by what has a price: what did not cost anything and read nothing is left out.
/// # Errors
/// As the database.
pub async fn lines(page: &mut Page<'_>, span: Span) -> Result<Vec<Line>> {
    let statement = page.sql(
        "SELECT operation, upstream, model, price, percent, count(*) AS operations,
                CAST(sum(input_tokens) AS BIGINT) AS input_tokens, CAST(sum(cached_tokens) AS BIGINT) AS cached_tokens,
                CAST(sum(written_tokens) AS BIGINT) AS written_tokens,
                CAST(sum(written_long_tokens) AS BIGINT) AS written_long_tokens, CAST(sum(output_tokens) AS BIGINT) AS output_tokens,
                CAST(sum(cost_micros) AS BIGINT) AS cost_micros
         FROM entries WHERE org_id = $1 AND id >= $2 AND at >= $3 AND at < $4 AND (cost_micros > 0 OR tokens > 0)
         GROUP BY operation, upstream, model, price, percent ORDER BY operation, upstream, model, price, percent",
    );
    within(statement, span).all().await
}
