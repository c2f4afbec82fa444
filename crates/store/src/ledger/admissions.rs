//! How many calls the rate limits let in and turned away of late, by who called and what for: for people to look at. Nothing is decided by
//! it, and what a program that died had not written down yet is lost.

use std::time::Duration;

use domain::operation::Operation;
use domain::{ApiKeyId, Id, ProjectId, Time, UserId};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Page, hex};
use crate::scope::Scope;
use crate::sql::Pair;
use crate::{Backend, Result, Store};

/// How long one row counts; a whole number of them is a minute.
const QUARTER: i64 = 15_000_000;
/// How long rows are kept.
pub const KEPT: Duration = Duration::from_hours(1);

/// Who called, what for, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Admission {
    /// The person.
    pub user_id: Option<UserId>,
    /// The API key.
    pub key_id: Option<ApiKeyId>,
    /// The project.
    pub project_id: Option<ProjectId>,
    /// What for.
    pub operation: Operation,
    /// Which limit had no room, in the words of who counts; empty when it was let in.
    pub refused_by: String,
}

/// Such calls, summed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sum {
    /// Which calls.
    pub of: Admission,
    /// How many there were.
    pub times: i64,
    /// How many of them lately.
    pub lately: i64,
}

/// A row as the database gives it.
#[derive(Deserialize)]
struct Row {
    user_id: UserId,
    key_id: ApiKeyId,
    project_id: ProjectId,
    operation: Operation,
    refused_by: String,
    times: i64,
    lately: i64,
}

impl From<Row> for Sum {
    fn from(row: Row) -> Self {
        let of = Admission {
            user_id: some(row.user_id),
            key_id: some(row.key_id),
            project_id: some(row.project_id),
            operation: row.operation,
            refused_by: row.refused_by,
        };
        Self { of, times: row.times, lately: row.lately }
    }
}

fn some<I: Id>(id: I) -> Option<I> {
    (!id.uuid().is_nil()).then_some(id)
}

fn or_nil<I: Id>(id: Option<I>) -> String {
    id.map_or_else(|| domain::id::Uuid::nil().simple().to_string(), hex)
}

impl Store {
    /// Adds to what was let in and turned away; forgets what is older than [`KEPT`]. On the embedded engine all organisations in one
    /// transaction.
    /// # Errors
    /// As the database.
    pub async fn add_admissions(&self, all: &[(Scope, Vec<(Admission, i64)>)]) -> Result<()> {
        if matches!(self.0.backend, Backend::Embedded { .. }) {
            let mut tx = self.write_books().await?;
            for (scope, counts) in all {
                add(&mut tx.page(scope)?, counts).await?;
            }
            return tx.commit().await;
        }
        for (scope, counts) in all {
            let mut tx = self.begin_ledger(scope).await?;
            add(&mut tx.page(scope)?, counts).await?;
            tx.commit().await?;
        }
        Ok(())
    }
}

/// Adds to one organisation's counts.
/// # Errors
/// As the database.
pub async fn add(page: &mut Page<'_>, counts: &[(Admission, i64)]) -> Result<()> {
    let now = page.now();
    let starts_at = now.micros() - now.micros().rem_euclid(QUARTER);
    let row = |(of, times): &(Admission, i64)| {
        let ids = (or_nil(of.user_id), or_nil(of.key_id), or_nil(of.project_id));
        json!([ids.0, ids.1, ids.2, of.operation, of.refused_by, times])
    };
    let rows: Vec<_> = counts.iter().map(row).collect();
    page.sql("DELETE FROM admissions WHERE org_id = $1 AND starts_at < $2").bind(now - KEPT).run().await?;
    page.sql(Pair {
        sqlite: "INSERT INTO admissions (org_id, starts_at, user_id, key_id, project_id, operation, refused_by, times)
                 SELECT $1, $3, unhex(w.value ->> 0), unhex(w.value ->> 1), unhex(w.value ->> 2), w.value ->> 3, w.value ->> 4,
                        w.value ->> 5 FROM json_each($2) w WHERE true
                 ON CONFLICT (org_id, starts_at, user_id, key_id, project_id, operation, refused_by)
                 DO UPDATE SET times = admissions.times + excluded.times",
        postgres: "INSERT INTO admissions (org_id, starts_at, user_id, key_id, project_id, operation, refused_by, times)
                 SELECT $1, $3, (w ->> 0)::uuid, (w ->> 1)::uuid, (w ->> 2)::uuid, w ->> 3, w ->> 4, (w ->> 5)::bigint
                 FROM json_array_elements($2::json) w
                 ON CONFLICT (org_id, starts_at, user_id, key_id, project_id, operation, refused_by)
                 DO UPDATE SET times = admissions.times + excluded.times",
    })
    .bind(Value::from(rows).to_string())
    .bind(Time::from_micros(starts_at))
    .run()
    .await?;
    Ok(())
}

/// What was let in and turned away within [`KEPT`], and of that since `lately`; the most first, `limit` sums at most.
/// # Errors
/// As the database.
pub async fn sums(page: &mut Page<'_>, lately: Time, limit: i64) -> Result<Vec<Sum>> {
    let since = page.now() - KEPT;
    let rows: Vec<Row> = page
        .sql(
            "SELECT user_id, key_id, project_id, operation, refused_by, CAST(sum(times) AS BIGINT) AS times,
                    CAST(sum(CASE WHEN starts_at >= $3 THEN times ELSE 0 END) AS BIGINT) AS lately
             FROM admissions WHERE org_id = $1 AND starts_at >= $2
             GROUP BY user_id, key_id, project_id, operation, refused_by
             ORDER BY 6 DESC, user_id, key_id, project_id, operation, refused_by LIMIT $4",
        )
        .bind(since)
        .bind(lately)
        .bind(limit)
        .all()
        .await?;
    Ok(rows.into_iter().map(Sum::from).collect())
}
