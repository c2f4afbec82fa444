//! Rate limits: how much may be done in a minute and at the same time, by the organisation, or by a project, a person or a key.
//!
//! Everybody sees those of all, of themselves and of projects that they see; who sets limits sees all. One that cannot be seen does not
//! exist for the caller.

mod activity;
mod create;
mod delete;
mod get;
mod list;
mod sight;
mod update;

use domain::id::Uuid;
use domain::limits::Level;
use domain::operation::Operation;
use domain::{ApiKeyId, Id, LimitId, ProjectId, Time, UserId};
use schemars::JsonSchema;
use serde::Serialize;
use store::org::rate_limits::RateLimit;

use crate::http::error::{Problem, Result};
use crate::routes::Routes;

pub(crate) fn routes(routes: Routes) -> Routes {
    routes
        .get("/api/v1/limits", "Lists the rate limits: those that the caller may know of, or all.", list::list)
        .post("/api/v1/limits", "Sets a rate limit where there was none.", create::create)
        .get(
            "/api/v1/limits/activity",
            "Tells what was let in and turned away in the last hour: by each rate limit, and by caller and kind of work.",
            activity::activity,
        )
        .get("/api/v1/limits/{id}", "Shows a rate limit.", get::get)
        .patch("/api/v1/limits/{id}", "Changes how much a rate limit lets through.", update::update)
        .delete("/api/v1/limits/{id}", "Takes a rate limit away.", delete::delete)
}

/// The most calls at the same time that a limit can let through.
const MOST_AT_ONCE: i64 = 100_000;

/// A rate limit.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "RateLimit")]
pub(crate) struct LimitView {
    id: LimitId,
    level: Level,
    /// The project, person or key; absent when each of them has it for itself.
    subject_id: Option<String>,
    /// What it counts; all that costs something when absent.
    operation: Option<Operation>,
    requests_per_minute: Option<i64>,
    tokens_per_minute: Option<i64>,
    concurrency: Option<i64>,
    /// Who made it.
    made_by: UserId,
    created_at: Time,
    updated_at: Time,
}

impl From<RateLimit> for LimitView {
    fn from(limit: RateLimit) -> Self {
        Self {
            id: limit.id,
            level: limit.level,
            subject_id: limit.subject.map(|subject| named(limit.level, subject.0)),
            operation: limit.operation,
            requests_per_minute: limit.requests_per_minute,
            tokens_per_minute: limit.tokens_per_minute,
            concurrency: limit.concurrency,
            made_by: limit.made_by,
            created_at: limit.created_at,
            updated_at: limit.updated_at,
        }
    }
}

/// An id as the API shows it.
fn named(level: Level, id: Uuid) -> String {
    match level {
        Level::Project => ProjectId::from_uuid(id).to_string(),
        Level::Key => ApiKeyId::from_uuid(id).to_string(),
        _ => UserId::from_uuid(id).to_string(),
    }
}

/// Refuses amounts that no limit can have, and a limit without any.
fn check(limit: &RateLimit) -> Result<()> {
    let highest = i64::try_from(metering::rates::cell::HIGHEST).unwrap_or(i64::MAX);
    let amounts = [
        ("requests_per_minute", limit.requests_per_minute, highest),
        ("tokens_per_minute", limit.tokens_per_minute, highest),
        ("concurrency", limit.concurrency, MOST_AT_ONCE),
    ];
    for (name, amount, most) in amounts {
        if amount.is_some_and(|amount| !(1..=most).contains(&amount)) {
            return Err(Problem::field(name, format!("must be from 1 to {most}")));
        }
    }
    if amounts.iter().all(|(_, amount, _)| amount.is_none()) {
        return Err(Problem::field("requests_per_minute", "must be given, or tokens_per_minute, or concurrency"));
    }
    let of_models = [None, Some(Operation::Chat), Some(Operation::Embeddings)];
    if limit.tokens_per_minute.is_some() && !of_models.contains(&limit.operation) {
        return Err(Problem::field(
            "tokens_per_minute",
            "can be limited for chat and embeddings, or for all operations",
        ));
    }
    Ok(())
}
