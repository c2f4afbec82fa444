//! Calls under way: each holds what it may cost at worst, and ends as one entry.

use std::time::Duration;

use domain::limits::{Amounts, Counted};
use domain::{AgentId, ApiKeyId, HolderId, ProjectId, RunId, TeamId, Time, UsageId, UserId};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Page, hex};
use crate::Result;
use crate::sql::{Pair, Statement};

/// For whom and for what something is used.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Purpose {
    /// What is done: `chat`, `embeddings`, `search` and the like.
    pub operation: String,
    /// The model as the upstream names it; empty where there is none.
    pub model: String,
    /// Which upstream; empty where there is none.
    pub upstream: String,
    /// The version of the price list; empty where nothing has a price.
    pub price: String,
    /// The person.
    pub user_id: Option<UserId>,
    /// The API key that acts for the person.
    pub key_id: Option<ApiKeyId>,
    /// The project.
    pub project_id: Option<ProjectId>,
    /// The team that it counts to, with all teams above it.
    pub team_id: Option<TeamId>,
    /// The agent.
    pub agent_id: Option<AgentId>,
    /// The run.
    pub run_id: Option<RunId>,
    /// The id of the HTTP request, or of the job.
    pub request_id: String,
    /// The rates at which budgets in other currencies were charged, as JSON.
    pub exchange: Option<String>,
}

/// An amount that is held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// The operation.
    pub id: UsageId,
    /// Which try of it, from 1.
    pub attempt: i64,
    /// When it was taken: the periods in which it counts are those around this time.
    pub at: Time,
    /// The program that holds it.
    pub holder: HolderId,
    /// For whom and for what.
    pub purpose: Purpose,
    /// How much at worst.
    pub amounts: Amounts,
}

#[derive(Deserialize)]
struct Row {
    id: UsageId,
    attempt: i64,
    at: Time,
    holder: HolderId,
    expired: i64,
    operation: String,
    model: String,
    upstream: String,
    price: String,
    user_id: Option<UserId>,
    key_id: Option<ApiKeyId>,
    project_id: Option<ProjectId>,
    team_id: Option<TeamId>,
    agent_id: Option<AgentId>,
    run_id: Option<RunId>,
    request_id: String,
    exchange: Option<String>,
    cost_micros: i64,
    requests: i64,
    tokens: i64,
    documents: i64,
    storage: i64,
    prospects: i64,
    mails: i64,
}

impl From<Row> for Hold {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            attempt: row.attempt,
            at: row.at,
            holder: row.holder,
            purpose: Purpose {
                operation: row.operation,
                model: row.model,
                upstream: row.upstream,
                price: row.price,
                user_id: row.user_id,
                key_id: row.key_id,
                project_id: row.project_id,
                team_id: row.team_id,
                agent_id: row.agent_id,
                run_id: row.run_id,
                request_id: row.request_id,
                exchange: row.exchange,
            },
            amounts: Amounts::of(Counted::Cost, row.cost_micros)
                .with(Counted::Requests, row.requests)
                .with(Counted::Tokens, row.tokens)
                .with(Counted::Documents, row.documents)
                .with(Counted::Storage, row.storage)
                .with(Counted::Prospects, row.prospects)
                .with(Counted::Mails, row.mails),
        }
    }
}

/// Writes a hold with a lease. False when the operation has one under this attempt already.
///
/// Where several programs share the books their leases run by the clock of the database, which none of them can set.
/// # Errors
/// As the database.
pub async fn insert(page: &mut Page<'_>, hold: &Hold, lease: Duration) -> Result<bool> {
    Ok(inserting(page, hold, lease).run().await? == 1)
}

/// The statement that writes a hold; it changes one row, or none when the attempt has one already.
pub(super) fn inserting<'p>(page: &'p mut Page<'_>, hold: &Hold, lease: Duration) -> Statement<'p> {
    let purpose = &hold.purpose;
    page
        .sql(
            Pair {
                sqlite: "INSERT INTO holds (org_id, id, attempt, at, holder, expires_at, operation, model, upstream, price, user_id, key_id,
                                project_id, team_id, agent_id, run_id, request_id, exchange, cost_micros, requests, tokens,
                                documents, storage, prospects, mails)
                    VALUES ($1, $2, $3, $4, $5, $4 + $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22,
                            $23, $24, $25)
                    ON CONFLICT (org_id, id, attempt) DO NOTHING",
                postgres: "INSERT INTO holds (org_id, id, attempt, at, holder, expires_at, operation, model, upstream, price, user_id, key_id,
                                project_id, team_id, agent_id, run_id, request_id, exchange, cost_micros, requests, tokens,
                                documents, storage, prospects, mails)
                    VALUES ($1, $2, $3, $4, $5, (date_part('epoch', clock_timestamp()) * 1000000)::bigint + $6, $7, $8, $9, $10, $11, $12,
                            $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25)
                    ON CONFLICT (org_id, id, attempt) DO NOTHING",
            },
        )
        .bind(hold.id)
        .bind(hold.attempt)
        .bind(hold.at)
        .bind(hold.holder)
        .bind(micros(lease))
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
        .bind(hold.amounts.get(Counted::Cost))
        .bind(hold.amounts.get(Counted::Requests))
        .bind(hold.amounts.get(Counted::Tokens))
        .bind(hold.amounts.get(Counted::Documents))
        .bind(hold.amounts.get(Counted::Storage))
        .bind(hold.amounts.get(Counted::Prospects))
        .bind(hold.amounts.get(Counted::Mails))
}

/// Who has an attempt's hold; none when it is gone, or never was.
/// # Errors
/// As the database.
pub async fn holder(page: &mut Page<'_>, id: UsageId, attempt: i64) -> Result<Option<HolderId>> {
    page.sql("SELECT holder FROM holds WHERE org_id = $1 AND id = $2 AND attempt = $3")
        .bind(id)
        .bind(attempt)
        .optional()
        .await
}

/// Takes a hold away, because it ends as an entry in this transaction; none when it is gone already. Says whether the past counts
/// differently since it was taken.
/// # Errors
/// As the database.
pub async fn delete(page: &mut Page<'_>, id: UsageId, attempt: i64) -> Result<Option<bool>> {
    let moved: Option<i64> = page
        .sql("DELETE FROM holds WHERE org_id = $1 AND id = $2 AND attempt = $3 RETURNING moved")
        .bind(id)
        .bind(attempt)
        .optional()
        .await?;
    Ok(moved.map(|moved| moved != 0))
}

/// The statement that takes holds away; it gives `moved` of each that was there.
pub(super) fn deleting<'p>(page: &'p mut Page<'_>, holds: &[(UsageId, i64)]) -> Statement<'p> {
    let holds: Vec<_> = holds.iter().map(|(id, attempt)| json!([hex(*id), attempt])).collect();
    page.sql(Pair {
        sqlite: "DELETE FROM holds WHERE org_id = $1
                 AND (id, attempt) IN (SELECT unhex(w.value ->> 0), w.value ->> 1 FROM json_each($2) w) RETURNING moved",
        postgres: "DELETE FROM holds WHERE org_id = $1
                 AND (id, attempt) IN (SELECT (w ->> 0)::uuid, (w ->> 1)::bigint FROM json_array_elements($2::json) w)
                 RETURNING moved",
    })
    .bind(Value::from(holds).to_string())
}

/// Notes on all holds that the past counts differently from now on.
/// # Errors
/// As the database.
pub async fn moved(page: &mut Page<'_>) -> Result<()> {
    page.sql("UPDATE holds SET moved = 1 WHERE org_id = $1").run().await?;
    Ok(())
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

/// All holds of the organisation, at most as many as calls may run at once, each with whether its lease has run out.
/// # Errors
/// As the database.
pub async fn list(page: &mut Page<'_>) -> Result<Vec<(Hold, bool)>> {
    let now = page.now();
    let rows: Vec<Row> = page
        .sql(
            Pair {
                sqlite: "SELECT id, attempt, at, holder, expires_at <= $2 AS expired, operation, model, upstream, price, user_id, key_id,
                        project_id, team_id, agent_id, run_id, request_id, exchange, cost_micros, requests, tokens, documents, storage,
                        prospects, mails
                    FROM holds WHERE org_id = $1 ORDER BY id, attempt",
                postgres: "SELECT id, attempt, at, holder,
                        CAST(expires_at <= (date_part('epoch', clock_timestamp()) * 1000000)::bigint AND $2 > 0 AS integer) AS expired,
                        operation, model, upstream, price, user_id, key_id, project_id, team_id, agent_id, run_id, request_id, exchange,
                        cost_micros, requests, tokens, documents, storage, prospects, mails
                    FROM holds WHERE org_id = $1 ORDER BY id, attempt",
            },
        )
        .bind(now)
        .all()
        .await?;
    let expired = |row: &Row| row.expired != 0;
    Ok(rows.into_iter().map(|row| (expired(&row), row)).map(|(expired, row)| (Hold::from(row), expired)).collect())
}

/// Prolongs the lease of a hold whose call goes on. False when somebody ended it.
/// # Errors
/// As the database.
pub async fn renew(page: &mut Page<'_>, id: UsageId, attempt: i64, lease: Duration) -> Result<bool> {
    let now = page.now();
    let renewed = page
        .sql(Pair {
            sqlite: "UPDATE holds SET expires_at = $4 + $5 WHERE org_id = $1 AND id = $2 AND attempt = $3",
            postgres:
                "UPDATE holds SET expires_at = (date_part('epoch', clock_timestamp()) * 1000000)::bigint + $5 + 0 * $4
                WHERE org_id = $1 AND id = $2 AND attempt = $3",
        })
        .bind(id)
        .bind(attempt)
        .bind(now)
        .bind(micros(lease))
        .run()
        .await?;
    Ok(renewed == 1)
}
