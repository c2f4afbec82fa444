//! `GET /api/v1/limits/activity`: what was let in and turned away in the last hour, by each rate limit and by caller.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::access::{Permission, can};
use domain::authoriser::Object;
use domain::id::Uuid;
use domain::limits::Level;
use domain::operation::Operation;
use domain::{ApiKeyId, Id, LimitId, Time, UserId};
use metering::rates::RefusedBy;
use metering::rates::rule::{Counts, Reach};
use schemars::JsonSchema;
use serde::Serialize;
use store::ledger::admissions::{KEPT, Sum};
use store::org::rate_limits::RateLimit;

use super::sight::Sight;
use crate::http::caller::Caller;
use crate::http::error::Result;
use crate::http::reply::Found;

/// What limits are about.
const MINUTE: Duration = Duration::from_mins(1);
/// Rate limits that are looked at; an organisation with more sees the first.
const LIMITS: i64 = 200;
/// Callers that are listed.
const CALLERS: usize = 50;

/// What was let in and turned away: of everybody for those who may see what everybody used, else of oneself. Of the thousand kinds of calls
/// that came most.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "LimitActivity")]
pub(crate) struct ActivityView {
    /// An hour ago.
    from: Time,
    /// Now.
    until: Time,
    /// Calls that were let in.
    calls: i64,
    /// Calls that were turned away.
    denied: i64,
    /// Each rate limit that the caller may know of, in the order of their list.
    limits: Vec<LimitUse>,
    /// Who was turned away most and called most, by what for.
    callers: Vec<CallerUse>,
}

/// How a rate limit is used.
#[derive(Debug, Serialize, JsonSchema)]
struct LimitUse {
    id: LimitId,
    /// Calls that it counted in the last minute; of whoever called most, where each has it for themselves.
    used: i64,
    /// Calls that it turned away in the last hour.
    denied: i64,
}

/// What one caller did of one kind.
#[derive(Debug, Serialize, JsonSchema)]
struct CallerUse {
    user_id: Option<UserId>,
    key_id: Option<ApiKeyId>,
    operation: Operation,
    /// Calls that were let in.
    calls: i64,
    /// Of these, in the last minute.
    calls_last_minute: i64,
    /// Calls that were turned away.
    denied: i64,
    /// By which limits, the one that did most first: its level, what it counts of (`*`: all that costs something; `key`: all requests with
    /// the key, by the key's own limit; `plan`: what takes one of the plan's slots) and as what.
    denied_by: Vec<DeniedBy>,
}

/// A limit that turned calls away.
#[derive(Debug, Serialize, JsonSchema)]
struct DeniedBy {
    level: String,
    reach: String,
    counts: String,
    times: i64,
}

pub(crate) async fn activity(caller: Caller<can::LimitsRead>) -> Result<Found<ActivityView>> {
    let now = caller.ambient().now();
    let sums = caller.app().gatekeeper.activity(caller.scope(), now - MINUTE).await?;
    let limits = Sight::of(&caller).list(None, LIMITS).await?;
    let all = caller.scope().grants().allow(Permission::UsageAll, Object::Organisation);
    let own = caller.scope().user();
    let seen: Vec<Sum> = sums.into_iter().filter(|sum| all || sum.of.user_id == Some(own)).collect();
    let total = |denied: bool| seen.iter().filter(|sum| is_denied(sum) == denied).map(|sum| sum.times).sum();
    Ok(Found(ActivityView {
        from: now - KEPT,
        until: now,
        calls: total(false),
        denied: total(true),
        limits: limits.iter().map(|limit| used(limit, &seen)).collect(),
        callers: by_caller(&seen),
    }))
}

fn is_denied(sum: &Sum) -> bool {
    !sum.of.refused_by.is_empty()
}

/// How a limit is used, of what was counted.
fn used(limit: &RateLimit, sums: &[Sum]) -> LimitUse {
    let subject = |sum: &Sum| match limit.level {
        Level::User => sum.of.user_id.map(Id::uuid),
        Level::Key => sum.of.key_id.map(Id::uuid),
        Level::Project => sum.of.project_id.map(Id::uuid),
        _ => Some(Uuid::nil()),
    };
    let counts = |sum: &&Sum| {
        let operation = limit.operation.map_or(sum.of.operation != Operation::Api, |one| one == sum.of.operation);
        let wanted = limit.subject.map(|subject| subject.0);
        operation && subject(sum).is_some_and(|found| wanted.is_none_or(|wanted| wanted == found))
    };
    let reach = limit.operation.map_or(Reach::All, Reach::One);
    let words = [Counts::Requests, Counts::Tokens, Counts::Concurrency]
        .map(|counts| RefusedBy { level: limit.level, reach, counts }.text());
    let (mut lately, mut denied) = (BTreeMap::<Option<Uuid>, i64>::new(), 0);
    for sum in sums.iter().filter(counts) {
        if !is_denied(sum) {
            *lately.entry(subject(sum)).or_default() += sum.lately;
        } else if words.contains(&sum.of.refused_by) {
            denied += sum.times;
        }
    }
    LimitUse { id: limit.id, used: lately.into_values().max().unwrap_or(0), denied }
}

/// The callers that called most.
fn by_caller(sums: &[Sum]) -> Vec<CallerUse> {
    let mut callers = BTreeMap::new();
    for sum in sums {
        let (user_id, key_id, operation) = (sum.of.user_id, sum.of.key_id, sum.of.operation);
        let caller = callers.entry((user_id, key_id, operation)).or_insert_with(|| CallerUse {
            user_id,
            key_id,
            operation,
            calls: 0,
            calls_last_minute: 0,
            denied: 0,
            denied_by: Vec::new(),
        });
        if is_denied(sum) {
            caller.denied += sum.times;
            caller.denied_by.extend(denied_by(sum));
        } else {
            caller.calls += sum.times;
            caller.calls_last_minute += sum.lately;
        }
    }
    let mut callers: Vec<CallerUse> = callers.into_values().collect();
    callers.sort_by_key(|caller| std::cmp::Reverse((caller.denied, caller.calls)));
    callers.truncate(CALLERS);
    callers
}

fn denied_by(sum: &Sum) -> Option<DeniedBy> {
    let mut words = sum.of.refused_by.split(' ').map(str::to_owned);
    Some(DeniedBy { level: words.next()?, reach: words.next()?, counts: words.next()?, times: sum.times })
}
