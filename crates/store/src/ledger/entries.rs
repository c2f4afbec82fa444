//! What was used: one row per attempt, never changed. The usage log is this, and every balance follows from it.

use std::ops::RangeInclusive;
use std::time::Duration;

use domain::limits::{Amounts, Counted, Span};
use domain::{AgentId, ApiKeyId, Id, ProjectId, RunId, TeamId, Time, UsageId, UserId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Page;
use super::holds::Hold;
use crate::Result;
use crate::sql::{Pair, Statement, before_id};

/// How an operation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// As it should.
    Ok,
    /// With an error of the upstream or of ours.
    Error,
    /// The client went away, or the call was stopped.
    Cancelled,
    /// The program that ran it died, and nobody knows how far it got.
    Lost,
}

impl Outcome {
    /// The name in the API and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Error => "error",
            Self::Cancelled => "cancelled",
            Self::Lost => "lost",
        }
    }
}

/// What an operation used in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Charge {
    /// How it ended.
    pub outcome: Outcome,
    /// Tokens read, those from the upstream's cache included.
    pub input_tokens: i64,
    /// Of these, from the upstream's cache.
    pub cached_tokens: i64,
    /// Of those read, into the upstream's cache.
    pub written_tokens: i64,
    /// Of these, for an hour.
    pub written_long_tokens: i64,
    /// Tokens written.
    pub output_tokens: i64,
    /// Percent of the price at the call's service tier.
    pub percent: i64,
    /// Whether the tokens were estimated because the upstream told none.
    pub estimated: bool,
    /// How much of each counted thing.
    pub amounts: Amounts,
    /// From the beginning to the last byte.
    pub latency_micros: i64,
}

impl Charge {
    /// Nothing was used.
    #[must_use]
    pub const fn nothing(outcome: Outcome) -> Self {
        Self {
            outcome,
            input_tokens: 0,
            cached_tokens: 0,
            written_tokens: 0,
            written_long_tokens: 0,
            output_tokens: 0,
            percent: 100,
            estimated: false,
            amounts: Amounts::NONE,
            latency_micros: 0,
        }
    }
}

/// Ends a hold as an entry. False when it has ended already.
/// # Errors
/// As the database.
pub async fn insert(page: &mut Page<'_>, hold: &Hold, charge: &Charge) -> Result<bool> {
    Ok(inserting(page, hold, charge).run().await? == 1)
}

/// The statement that writes an entry; it changes one row, or none when the attempt has ended already.
pub(super) fn inserting<'p>(page: &'p mut Page<'_>, hold: &Hold, charge: &Charge) -> Statement<'p> {
    let (purpose, now) = (&hold.purpose, page.now());
    page
        .sql(
            "INSERT INTO entries (org_id, id, attempt, at, ended_at, operation, model, upstream, price, user_id, key_id, project_id,
                                  team_id, agent_id, run_id, request_id, exchange, outcome, held_micros, held_tokens, input_tokens,
                                  cached_tokens, output_tokens, estimated, cost_micros, requests, tokens, documents, storage,
                                  prospects, mails, latency_micros, written_tokens, percent, written_long_tokens)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24,
                     $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35)
             ON CONFLICT (org_id, id, attempt) DO NOTHING",
        )
        .bind(hold.id)
        .bind(hold.attempt)
        .bind(hold.at)
        .bind(now)
        .bind(&purpose.operation)
        .bind(&purpose.model)
        .bind(&purpose.upstream)
        .bind(&purpose.price)
        .bind(purpose.user_id)
        .bind(purpose.key_id)
        .bind(purpose.project_id)
        .bind(purpose.team_id)
        .bind(purpose.agent_id)
        .bind(purpose.run_id)
        .bind(&purpose.request_id)
        .bind(purpose.exchange.as_deref())
        .bind(charge.outcome.as_str())
        .bind(hold.amounts.get(Counted::Cost))
        .bind(hold.amounts.get(Counted::Tokens))
        .bind(charge.input_tokens)
        .bind(charge.cached_tokens)
        .bind(charge.output_tokens)
        .bind(i64::from(charge.estimated))
        .bind(charge.amounts.get(Counted::Cost))
        .bind(charge.amounts.get(Counted::Requests))
        .bind(charge.amounts.get(Counted::Tokens))
        .bind(charge.amounts.get(Counted::Documents))
        .bind(charge.amounts.get(Counted::Storage))
        .bind(charge.amounts.get(Counted::Prospects))
        .bind(charge.amounts.get(Counted::Mails))
        .bind(charge.latency_micros)
        .bind(charge.written_tokens)
        .bind(charge.percent)
        .bind(charge.written_long_tokens)
}

/// Who or what a sum is about; what is none is not asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Filter {
    /// The person.
    pub user: Option<UserId>,
    /// The API key.
    pub key: Option<ApiKeyId>,
    /// The project.
    pub project: Option<ProjectId>,
    /// The team itself, without those below.
    pub team: Option<TeamId>,
    /// The agent.
    pub agent: Option<AgentId>,
    /// The run.
    pub run: Option<RunId>,
}

/// What was used, by team.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct TeamSum {
    /// The team; none for what counts to no team.
    pub team_id: Option<TeamId>,
    cost_micros: i64,
    requests: i64,
    tokens: i64,
    documents: i64,
    storage: i64,
    prospects: i64,
    mails: i64,
}

impl TeamSum {
    /// How much of each.
    #[must_use]
    pub fn amounts(&self) -> Amounts {
        Amounts::of(Counted::Cost, self.cost_micros)
            .with(Counted::Requests, self.requests)
            .with(Counted::Tokens, self.tokens)
            .with(Counted::Documents, self.documents)
            .with(Counted::Storage, self.storage)
            .with(Counted::Prospects, self.prospects)
            .with(Counted::Mails, self.mails)
    }
}

/// Below all ids that were made at or after a time: where a period begins among the ids, which start with the milliseconds (RFC 9562
/// section 5.7). Three hours earlier, since the id is made when a call begins and the row's time is taken at its last attempt: twelve of ten
/// minutes each; and since the clock that made the id may have been set back by an hour meanwhile.
pub(super) fn first_id(from: Time) -> UsageId {
    id_at(from - Duration::from_hours(3))
}

/// Below all ids that a right clock made at or after a time.
fn id_at(time: Time) -> UsageId {
    let millis = u64::try_from(time.micros() / 1000).unwrap_or(0);
    let mut bytes = [0; 16];
    bytes[..6].copy_from_slice(&millis.to_be_bytes()[2..]);
    UsageId::from_uuid(Uuid::from_bytes(bytes))
}

/// Binds `$2` to `$4`: a period, by the ids and by the time of its rows.
pub(super) fn within(statement: Statement<'_>, span: Span) -> Statement<'_> {
    let until = span.until.unwrap_or(Time::from_micros(i64::MAX));
    statement.bind(first_id(span.from)).bind(span.from).bind(until)
}

/// Binds `$2` to `$9`: a period, and who used it, by all but the team. A key used nothing before it was made, which its id tells, so what
/// came before is not looked through.
pub(super) fn used_within(statement: Statement<'_>, span: Span, of: Filter) -> Statement<'_> {
    let until = span.until.unwrap_or(Time::from_micros(i64::MAX));
    let made = of.key.map_or(span.from, |key| made_at(key.uuid()));
    let statement = statement.bind(first_id(span.from.max(made))).bind(span.from).bind(until);
    statement.bind(of.user).bind(of.key).bind(of.project).bind(of.agent).bind(of.run)
}

/// When an id was made, by its first 48 bits (RFC 9562 section 5.7).
fn made_at(id: Uuid) -> Time {
    let millis = id.as_bytes()[..6].iter().fold(0_i64, |millis, byte| millis << 8 | i64::from(*byte));
    Time::from_micros(millis.saturating_mul(1000))
}

/// What was used in a period, by team: a limit at a team counts those below it too, which the tree of today says.
/// # Errors
/// As the database.
pub async fn sums(page: &mut Page<'_>, span: Span, of: Filter) -> Result<Vec<TeamSum>> {
    // A text for one person's: written as one, with the condition optional, both engines would look through everybody's.
    let statement = if of.user.is_some() {
        page.sql(
        Pair {
            sqlite: "SELECT team_id, CAST(sum(cost_micros) AS BIGINT) AS cost_micros, CAST(sum(requests) AS BIGINT) AS requests,
                CAST(sum(tokens) AS BIGINT) AS tokens, CAST(sum(documents) AS BIGINT) AS documents,
                CAST(sum(storage) AS BIGINT) AS storage, CAST(sum(prospects) AS BIGINT) AS prospects,
                CAST(sum(mails) AS BIGINT) AS mails
         FROM entries INDEXED BY entries_user WHERE org_id = $1 AND id >= $2 AND at >= $3 AND at < $4 AND user_id = $5
           AND ($6 IS NULL OR key_id = $6) AND ($7 IS NULL OR project_id = $7) AND ($8 IS NULL OR agent_id = $8)
           AND ($9 IS NULL OR run_id = $9) GROUP BY team_id",
            postgres: "SELECT team_id, CAST(sum(cost_micros) AS BIGINT) AS cost_micros, CAST(sum(requests) AS BIGINT) AS requests,
                CAST(sum(tokens) AS BIGINT) AS tokens, CAST(sum(documents) AS BIGINT) AS documents,
                CAST(sum(storage) AS BIGINT) AS storage, CAST(sum(prospects) AS BIGINT) AS prospects,
                CAST(sum(mails) AS BIGINT) AS mails
         FROM entries WHERE org_id = $1 AND id >= $2 AND at >= $3 AND at < $4 AND user_id = $5
           AND ($6 IS NULL OR key_id = $6) AND ($7 IS NULL OR project_id = $7) AND ($8 IS NULL OR agent_id = $8)
           AND ($9 IS NULL OR run_id = $9) GROUP BY team_id",
        },
        )
    } else {
        page.sql(
        "SELECT team_id, CAST(sum(cost_micros) AS BIGINT) AS cost_micros, CAST(sum(requests) AS BIGINT) AS requests,
                CAST(sum(tokens) AS BIGINT) AS tokens, CAST(sum(documents) AS BIGINT) AS documents,
                CAST(sum(storage) AS BIGINT) AS storage, CAST(sum(prospects) AS BIGINT) AS prospects,
                CAST(sum(mails) AS BIGINT) AS mails
         FROM entries WHERE org_id = $1 AND id >= $2 AND at >= $3 AND at < $4 AND ($5 IS NULL OR user_id = $5)
           AND ($6 IS NULL OR key_id = $6) AND ($7 IS NULL OR project_id = $7) AND ($8 IS NULL OR agent_id = $8)
           AND ($9 IS NULL OR run_id = $9) GROUP BY team_id",
        )
    };
    used_within(statement, span, of).all().await
}

/// What was spent in a period, in millionths of a US dollar.
/// # Errors
/// As the database.
pub(crate) async fn spent(page: &mut Page<'_>, span: Span) -> Result<i64> {
    let statement = page.sql(
        "SELECT CAST(COALESCE(sum(cost_micros), 0) AS BIGINT) FROM entries WHERE org_id = $1 AND id >= $2 AND at >= $3 AND at < $4",
    );
    within(statement, span).one().await
}

/// What a row cost, and at which rates it was charged to budgets in other currencies.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Exchanged {
    /// The team.
    pub team_id: Option<TeamId>,
    /// The cost, in millionths of a US dollar.
    pub cost_micros: i64,
    /// The rates, as JSON.
    pub exchange: Option<String>,
}

/// What each row of a period cost, for sums in another currency, which round row by row.
/// # Errors
/// As the database.
pub async fn costs(page: &mut Page<'_>, span: Span, of: Filter) -> Result<Vec<Exchanged>> {
    let statement = page.sql(
        "SELECT team_id, cost_micros, exchange
         FROM entries WHERE org_id = $1 AND id >= $2 AND at >= $3 AND at < $4 AND ($5 IS NULL OR user_id = $5)
           AND ($6 IS NULL OR key_id = $6) AND ($7 IS NULL OR project_id = $7) AND ($8 IS NULL OR agent_id = $8)
           AND ($9 IS NULL OR run_id = $9) AND cost_micros > 0",
    );
    used_within(statement, span, of).all().await
}

/// A row of the usage log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The operation.
    pub id: UsageId,
    /// Which try of it.
    pub attempt: i64,
    /// When it began.
    pub at: Time,
    /// When it ended.
    pub ended_at: Time,
    /// What was done.
    pub operation: String,
    /// The model.
    pub model: String,
    /// The upstream.
    pub upstream: String,
    /// The version of the price list.
    pub price: String,
    /// The person.
    pub user_id: Option<UserId>,
    /// The API key.
    pub key_id: Option<ApiKeyId>,
    /// The project.
    pub project_id: Option<ProjectId>,
    /// The team.
    pub team_id: Option<TeamId>,
    /// The agent.
    pub agent_id: Option<AgentId>,
    /// The run.
    pub run_id: Option<RunId>,
    /// The id of the HTTP request, or of the job.
    pub request_id: String,
    /// The rates at which budgets in other currencies were charged, as JSON.
    pub exchange: Option<String>,
    /// How it ended.
    pub outcome: Outcome,
    /// What was held for it, in millionths of a US dollar.
    pub held_micros: i64,
    /// Tokens held for it.
    pub held_tokens: i64,
    /// Tokens read, cached ones included.
    pub input_tokens: i64,
    /// Of these, from the upstream's cache.
    pub cached_tokens: i64,
    /// Of those read, into the upstream's cache.
    pub written_tokens: i64,
    /// Of these, for an hour.
    pub written_long_tokens: i64,
    /// Tokens written.
    pub output_tokens: i64,
    /// Percent of the price at the call's service tier.
    pub percent: i64,
    /// 1 when the tokens were estimated because the upstream told none.
    pub estimated: i64,
    /// The cost, in millionths of a US dollar.
    pub cost_micros: i64,
    /// Calls of a model.
    pub requests: i64,
    /// Tokens, together.
    pub tokens: i64,
    /// Documents added, or removed when below zero.
    pub documents: i64,
    /// Bytes added, or removed when below zero.
    pub storage: i64,
    /// People added to outreach lists, or removed when below zero.
    pub prospects: i64,
    /// Mails sent.
    pub mails: i64,
    /// How long it took, in microseconds.
    pub latency_micros: i64,
}

/// What a page of the log is about; what is none is not asked for.
#[derive(Debug, Clone, Default)]
pub struct Search {
    /// Not before.
    pub from: Option<Time>,
    /// Before.
    pub until: Option<Time>,
    /// Who and what.
    pub of: Filter,
    /// The operation.
    pub operation: Option<String>,
    /// The model.
    pub model: Option<String>,
    /// How it ended.
    pub outcome: Option<Outcome>,
}

/// A page of the log, the newest first, at most `limit` before the row given by its operation and attempt.
/// # Errors
/// As the database.
pub async fn list(
    page: &mut Page<'_>,
    search: &Search,
    before: Option<(UsageId, i64)>,
    limit: i64,
) -> Result<Vec<Entry>> {
    let statement = if search.of.user.is_some() {
        page.sql(
        Pair {
            sqlite: "SELECT id, attempt, at, ended_at, operation, model, upstream, price, user_id, key_id, project_id, team_id, agent_id, run_id,
                request_id, exchange, outcome, held_micros, held_tokens, input_tokens, cached_tokens, written_tokens, written_long_tokens, output_tokens,
                percent, estimated, cost_micros, requests, tokens, documents, storage, prospects, mails, latency_micros
         FROM entries INDEXED BY entries_user WHERE org_id = $1 AND (id, attempt) < ($2, $16) AND id >= $3 AND at >= $4 AND at < $5
           AND user_id = $6 AND ($7 IS NULL OR key_id = $7) AND ($8 IS NULL OR project_id = $8)
           AND ($9 IS NULL OR team_id = $9) AND ($10 IS NULL OR agent_id = $10) AND ($11 IS NULL OR run_id = $11)
           AND ($12 IS NULL OR operation = $12) AND ($13 IS NULL OR model = $13) AND ($14 IS NULL OR outcome = $14)
         ORDER BY id DESC, attempt DESC LIMIT $15",
            postgres: "SELECT id, attempt, at, ended_at, operation, model, upstream, price, user_id, key_id, project_id, team_id, agent_id, run_id,
                request_id, exchange, outcome, held_micros, held_tokens, input_tokens, cached_tokens, written_tokens, written_long_tokens, output_tokens,
                percent, estimated, cost_micros, requests, tokens, documents, storage, prospects, mails, latency_micros
         FROM entries WHERE org_id = $1 AND (id, attempt) < ($2, $16) AND id >= $3 AND at >= $4 AND at < $5
           AND user_id = $6 AND ($7 IS NULL OR key_id = $7) AND ($8 IS NULL OR project_id = $8)
           AND ($9 IS NULL OR team_id = $9) AND ($10 IS NULL OR agent_id = $10) AND ($11 IS NULL OR run_id = $11)
           AND ($12 IS NULL OR operation = $12) AND ($13 IS NULL OR model = $13) AND ($14 IS NULL OR outcome = $14)
         ORDER BY id DESC, attempt DESC LIMIT $15",
        },
        )
    } else {
        page.sql(
        "SELECT id, attempt, at, ended_at, operation, model, upstream, price, user_id, key_id, project_id, team_id, agent_id, run_id,
                request_id, exchange, outcome, held_micros, held_tokens, input_tokens, cached_tokens, written_tokens, written_long_tokens, output_tokens,
                percent, estimated, cost_micros, requests, tokens, documents, storage, prospects, mails, latency_micros
         FROM entries WHERE org_id = $1 AND (id, attempt) < ($2, $16) AND id >= $3 AND at >= $4 AND at < $5
           AND ($6 IS NULL OR user_id = $6) AND ($7 IS NULL OR key_id = $7) AND ($8 IS NULL OR project_id = $8)
           AND ($9 IS NULL OR team_id = $9) AND ($10 IS NULL OR agent_id = $10) AND ($11 IS NULL OR run_id = $11)
           AND ($12 IS NULL OR operation = $12) AND ($13 IS NULL OR model = $13) AND ($14 IS NULL OR outcome = $14)
         ORDER BY id DESC, attempt DESC LIMIT $15",
        )
    };
    statement
        .bind(before_id(before.map(|(id, _)| id)))
        .bind(first_id(search.from.unwrap_or_default()))
        .bind(search.from.unwrap_or_default())
        .bind(search.until.unwrap_or(Time::from_micros(i64::MAX)))
        .bind(search.of.user)
        .bind(search.of.key)
        .bind(search.of.project)
        .bind(search.of.team)
        .bind(search.of.agent)
        .bind(search.of.run)
        .bind(search.operation.as_deref())
        .bind(search.model.as_deref())
        .bind(search.outcome.map(Outcome::as_str))
        .bind(limit)
        .bind(before.map_or(i64::MAX, |(_, attempt)| attempt))
        .all()
        .await
}

/// Rows of operations that began after a time by the clock that made their ids, in their order; at most `limit` after the row given
/// by its operation and attempt. Unlike [`list`] it takes no account of clocks that were set back.
/// # Errors
/// As the database.
pub async fn recent(page: &mut Page<'_>, since: Time, after: Option<(UsageId, i64)>, limit: i64) -> Result<Vec<Entry>> {
    let (id, attempt) = after.unwrap_or_else(|| (id_at(since), 0));
    page.sql(
        "SELECT id, attempt, at, ended_at, operation, model, upstream, price, user_id, key_id, project_id, team_id, agent_id, run_id,
                request_id, exchange, outcome, held_micros, held_tokens, input_tokens, cached_tokens, written_tokens, written_long_tokens, output_tokens,
                percent, estimated, cost_micros, requests, tokens, documents, storage, prospects, mails, latency_micros
         FROM entries WHERE org_id = $1 AND (id, attempt) > ($2, $3) ORDER BY id, attempt LIMIT $4",
    )
    .bind(id)
    .bind(attempt)
    .bind(limit)
    .all()
    .await
}

/// The row of an attempt, when it has ended.
/// # Errors
/// As the database.
pub async fn find(page: &mut Page<'_>, id: UsageId, attempt: i64) -> Result<Option<Entry>> {
    page.sql(
        "SELECT id, attempt, at, ended_at, operation, model, upstream, price, user_id, key_id, project_id, team_id, agent_id, run_id,
                request_id, exchange, outcome, held_micros, held_tokens, input_tokens, cached_tokens, written_tokens, written_long_tokens, output_tokens,
                percent, estimated, cost_micros, requests, tokens, documents, storage, prospects, mails, latency_micros
         FROM entries WHERE org_id = $1 AND id = $2 AND attempt = $3",
    )
    .bind(id)
    .bind(attempt)
    .optional()
    .await
}

/// What a person cost, and when last.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct MemberUsage {
    /// The person.
    pub user_id: UserId,
    /// The cost, in millionths of a US dollar.
    pub cost_micros: i64,
    /// When their last call began.
    pub last_at: Time,
}

/// What the people of one page of members cost since a time, by person: the page is given by its first and last person.
/// # Errors
/// As the database.
pub async fn of_members(page: &mut Page<'_>, since: Time, people: RangeInclusive<UserId>) -> Result<Vec<MemberUsage>> {
    page.sql(
        "SELECT user_id, CAST(sum(cost_micros) AS BIGINT) AS cost_micros, max(at) AS last_at
         FROM entries WHERE org_id = $1 AND id >= $2 AND at >= $3 AND user_id >= $4 AND user_id <= $5
         GROUP BY user_id ORDER BY user_id",
    )
    .bind(first_id(since))
    .bind(since)
    .bind(*people.start())
    .bind(*people.end())
    .all()
    .await
}
