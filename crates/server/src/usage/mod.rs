//! What was used: sums, the rows behind them, and what is left of each limit.
//!
//! Everybody sees what they used themselves. What others used takes `usage.all`: at the organisation for all of it, at a team or a
//! project for what was used there.

mod events;
mod export;
mod feed;
mod invoice;
mod logs;
mod quota;
mod sight;
mod summary;
mod teams;

use domain::limits::{Span, month};
use domain::time_zone::TimeZoneName;
use domain::{AgentId, ApiKeyId, ProjectId, RunId, TeamId, Time, UsageId, UserId};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use store::ledger::entries::{Entry, Outcome};
use store::ledger::summary::Sums;

pub(crate) use self::feed::Rows;
use crate::http::error::{Problem, Result};
use crate::routes::Routes;

pub(crate) fn routes(routes: Routes) -> Routes {
    routes
        .get("/api/v1/usage/summary", "Sums what was used, by day, team, model and more.", summary::summary)
        .get("/api/v1/usage/logs", "Lists what was used, row by row; as CSV or JSON lines if asked for.", logs::logs)
        .get("/api/v1/usage/invoice", "Drafts the invoice of a month out of the rows.", invoice::invoice)
        .get("/api/v1/usage/events", "Tells of each row of the usage log when it is written.", events::events)
        .get("/api/v1/usage/quota", "Shows what is left of each limit on the caller's path.", quota::quota)
}

/// Sums over rows of the usage log.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[schemars(rename = "UsageSums")]
pub(crate) struct SumsView {
    /// In millionths of a US dollar.
    cost_micros: i64,
    /// Rows.
    operations: i64,
    /// Calls of a model.
    requests: i64,
    /// Read and written, together.
    tokens: i64,
    /// Read, cached ones included.
    input_tokens: i64,
    /// Of these, from the provider's cache.
    cached_tokens: i64,
    /// Written.
    output_tokens: i64,
    /// Added, less those removed.
    documents: i64,
    /// Bytes added, less those removed.
    storage: i64,
    /// People added to outreach lists, less those removed.
    prospects: i64,
    /// Mails sent.
    mails: i64,
}

impl From<Sums> for SumsView {
    fn from(sums: Sums) -> Self {
        Self {
            cost_micros: sums.cost_micros,
            operations: sums.operations,
            requests: sums.requests,
            tokens: sums.tokens,
            input_tokens: sums.input_tokens,
            cached_tokens: sums.cached_tokens,
            output_tokens: sums.output_tokens,
            documents: sums.documents,
            storage: sums.storage,
            prospects: sums.prospects,
            mails: sums.mails,
        }
    }
}

/// A row of the usage log: one try of one operation.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "UsageRow")]
pub(crate) struct RowView {
    id: UsageId,
    /// Which try of it, from 1.
    attempt: i64,
    /// When it began; the day and month it counts to.
    at: Time,
    ended_at: Time,
    /// What was done: `chat`, `embeddings` and the like.
    operation: String,
    /// The model as the provider names it.
    model: String,
    /// The provider.
    upstream: String,
    /// The version of the price list it was charged by.
    price_version: String,
    /// For whom.
    user_id: Option<UserId>,
    /// The API key that acted for them.
    key_id: Option<ApiKeyId>,
    project_id: Option<ProjectId>,
    /// The team it counts to.
    team_id: Option<TeamId>,
    agent_id: Option<AgentId>,
    run_id: Option<RunId>,
    /// The id of the request, as its answer told.
    request_id: String,
    outcome: Outcome,
    /// Tokens read, cached ones included.
    input_tokens: i64,
    cached_tokens: i64,
    /// Of those read, written to the provider's cache.
    cache_write_tokens: i64,
    /// Of those written, for an hour.
    cache_write_1h_tokens: i64,
    output_tokens: i64,
    tokens: i64,
    /// Percent of the list price, by the service tier of the call.
    price_percent: i64,
    /// Whether the tokens were estimated, because the provider told none.
    estimated: bool,
    /// In millionths of a US dollar.
    cost_micros: i64,
    /// What was held for it at most, in millionths of a US dollar.
    held_micros: i64,
    held_tokens: i64,
    /// The rates at which it was charged to budgets in other currencies.
    exchange: Option<Value>,
    requests: i64,
    documents: i64,
    storage: i64,
    prospects: i64,
    mails: i64,
    latency_micros: i64,
}

impl From<Entry> for RowView {
    fn from(entry: Entry) -> Self {
        Self {
            id: entry.id,
            attempt: entry.attempt,
            at: entry.at,
            ended_at: entry.ended_at,
            operation: entry.operation,
            model: entry.model,
            upstream: entry.upstream,
            price_version: entry.price,
            user_id: entry.user_id,
            key_id: entry.key_id,
            project_id: entry.project_id,
            team_id: entry.team_id,
            agent_id: entry.agent_id,
            run_id: entry.run_id,
            request_id: entry.request_id,
            outcome: entry.outcome,
            input_tokens: entry.input_tokens,
            cached_tokens: entry.cached_tokens,
            cache_write_tokens: entry.written_tokens,
            cache_write_1h_tokens: entry.written_long_tokens,
            output_tokens: entry.output_tokens,
            price_percent: entry.percent,
            tokens: entry.tokens,
            estimated: entry.estimated != 0,
            cost_micros: entry.cost_micros,
            held_micros: entry.held_micros,
            held_tokens: entry.held_tokens,
            exchange: entry.exchange.and_then(|text| serde_json::from_str(&text).ok()),
            requests: entry.requests,
            documents: entry.documents,
            storage: entry.storage,
            prospects: entry.prospects,
            mails: entry.mails,
            latency_micros: entry.latency_micros,
        }
    }
}

/// The time that is asked about: a month in the organisation's time zone, from one time until another, or this month.
fn span(
    asked: Option<&str>,
    from: Option<Time>,
    until: Option<Time>,
    zone: &TimeZoneName,
    this_month: Span,
) -> Result<Span> {
    match (asked, from, until) {
        (None, None, None) => Ok(this_month),
        (Some(text), None, None) => month(text, zone).map_err(|error| Problem::field("month", error.to_string())),
        (Some(_), ..) => Err(Problem::field("month", "must stand alone, without `from` and `until`")),
        (None, Some(from), until) if until.is_some_and(|until| until <= from) => {
            Err(Problem::field("until", "must be later than `from`"))
        }
        (None, from, until) => Ok(Span { from: from.unwrap_or_default(), until }),
    }
}
