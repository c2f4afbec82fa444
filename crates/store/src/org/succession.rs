//! A key takes another's place: what an administrator set on the one stands on the other, too.

use domain::{Ambient, ApiKeyId, Id};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::budgets::{self, Budget, Subject};
use super::rate_limits::{self, RateLimit};
use crate::Result;
use crate::audit::{self, Draft, Event, Head};
use crate::sql::Transaction;

/// That a key took another's place.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Succession {
    pub(crate) old: ApiKeyId,
    pub(crate) new: ApiKeyId,
    /// Keys of the same line that work no more, the old one perhaps among them.
    pub(crate) over: Vec<ApiKeyId>,
    /// Who rotated, when and whence, for the entries about what is handed on.
    pub(crate) by: Draft,
}

/// Copies budgets and rate limits from the old key to the new one, and takes away those of keys that are over: else each rotation would
/// leave some behind, until there are as many as there can be.
pub(crate) async fn hand_on(tx: &mut Transaction, ambient: &Ambient, succession: &Succession) -> Result<Option<Head>> {
    let Succession { old, new, over, by } = succession;
    let (subject, now) = (Some(Subject(new.uuid())), ambient.now());
    let mut head = None;
    for budget in budgets::on_key(tx, *old).await? {
        let detail = json!({ "from": budget.id });
        let copy = Budget { id: ambient.id(), subject, version: 1, created_at: now, updated_at: now, ..budget };
        budgets::add(tx, &copy).await?;
        let event = Event::new("budget.created", copy.id).after(&copy).detail(detail);
        head = Some(audit::append(tx, by.along(ambient.id(), event)).await?);
    }
    for limit in rate_limits::on_key(tx, *old).await? {
        let detail = json!({ "from": limit.id });
        let copy = RateLimit { id: ambient.id(), subject, version: 1, created_at: now, updated_at: now, ..limit };
        // What was said of the new key meanwhile stands.
        if rate_limits::is_taken(tx, &copy).await? {
            continue;
        }
        rate_limits::add(tx, &copy).await?;
        let event = Event::new("limit.created", copy.id).after(&copy).detail(detail);
        head = Some(audit::append(tx, by.along(ambient.id(), event)).await?);
    }
    for key in over {
        for budget in budgets::on_key(tx, *key).await? {
            budgets::remove(tx, budget.id).await?;
            let event = Event::new("budget.deleted", budget.id).before(&budget).detail(json!({ "with": key }));
            head = Some(audit::append(tx, by.along(ambient.id(), event)).await?);
        }
        for limit in rate_limits::on_key(tx, *key).await? {
            rate_limits::remove(tx, limit.id).await?;
            let event = Event::new("limit.deleted", limit.id).before(&limit).detail(json!({ "with": key }));
            head = Some(audit::append(tx, by.along(ambient.id(), event)).await?);
        }
    }
    Ok(head)
}
