//! What webhooks are told. A message is written in the transaction of its cause, one for each webhook that listens, and sent later by
//! whoever claims it; a mark in the control database says that there is something to send ([`crate::control::webhook_turns`]).
//!
//! The mark is set when the transaction is committed. Should the program die right between the two, the message waits for the
//! organisation's next one; a cause that notes what it told only afterwards, as alerts do, tells it again and loses nothing.

use std::time::Duration;

use domain::events::{EventType, TEST};
use domain::id::derived;
use domain::{Id as _, MessageId, Time, WebhookId};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Tx, webhooks};
use crate::keys::sha256;
use crate::sql::before_id;
use crate::{OrNotFound, Result};

/// How long messages are kept, sent or not.
pub const KEPT: Duration = Duration::from_hours(30 * 24);

/// An event, as webhooks are told.
#[derive(Debug, Clone)]
pub struct Event {
    /// What happened.
    pub event: EventType,
    /// When.
    pub at: Time,
    /// What it is about, so that telling it twice makes one message; none when it is told in the transaction of its cause.
    pub once: Option<String>,
    /// The rest, an object. It leaves the house: ids, amounts and times, no content.
    pub data: Value,
}

/// A message, as lists show it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Message {
    /// The id; the receiver sees it as `webhook-id`.
    pub id: MessageId,
    /// Whom it is to.
    pub webhook_id: WebhookId,
    /// What happened, by name.
    pub event: String,
    /// When it was written.
    pub created_at: Time,
    /// When sending it is tried next, unless it was sent or given up.
    pub due_at: Time,
    /// How often it was tried, the present time included.
    pub tries: i64,
    /// When it was last tried.
    pub tried_at: Option<Time>,
    /// What the receiver last answered, as an HTTP status.
    pub status: Option<i64>,
    /// Why the last try was in vain.
    pub error: Option<String>,
    /// When it was taken.
    pub delivered_at: Option<Time>,
    /// When it was given up.
    pub failed_at: Option<Time>,
}

/// A message that somebody has claimed to send it now.
#[derive(Debug, Clone, Deserialize)]
pub struct Claimed {
    /// The id.
    pub id: MessageId,
    /// Whom it is to.
    pub webhook_id: WebhookId,
    /// What happened, by name.
    pub event: String,
    /// What is sent, byte for byte.
    pub body: String,
    /// When it was written.
    pub created_at: Time,
    /// Which try this is, from 1.
    pub tries: i64,
}

impl Claimed {
    /// Whether it only tries the webhook.
    #[must_use]
    pub fn is_test(&self) -> bool {
        self.event == TEST
    }
}

/// How a try ended.
#[derive(Debug, Clone)]
pub struct Tried {
    /// What the receiver answered, as an HTTP status.
    pub status: Option<i64>,
    /// Why it was in vain; none when it was taken.
    pub error: Option<String>,
    /// When it is tried again; none when it was taken or is given up.
    pub again_at: Option<Time>,
}

/// Writes a message about an event to each webhook that listens; says how many there were. After the commit they are sent.
/// # Errors
/// As the database.
pub async fn announce(tx: &mut Tx, event: &Event) -> Result<usize> {
    let all = webhooks::list(tx, None, webhooks::MOST).await?;
    let listening: Vec<WebhookId> =
        all.iter().filter(|webhook| webhook.listens_to(event.event)).map(|webhook| webhook.id).collect();
    if listening.is_empty() {
        return Ok(0);
    }
    let body = body(event.event.as_str(), event.at, &event.data);
    for webhook in &listening {
        let id = match &event.once {
            Some(about) => derived(event.at, &sha256(format!("{}\n{}\n{about}", webhook.uuid(), event.event))),
            None => tx.ambient().id(),
        };
        insert(tx, id, *webhook, event.event.as_str(), &body).await?;
    }
    sweep(tx).await?;
    Ok(listening.len())
}

/// Writes a message that only tries a webhook.
/// # Errors
/// As the database.
pub async fn test(tx: &mut Tx, webhook: WebhookId) -> Result<MessageId> {
    let (id, now) = (tx.ambient().id(), tx.now());
    let body = body(TEST, now, &json!({ "webhook_id": webhook }));
    insert(tx, id, webhook, TEST, &body).await?;
    sweep(tx).await?;
    Ok(id)
}

/// The text of a message: what Standard Webhooks asks for.
fn body(event: &str, at: Time, data: &Value) -> String {
    json!({ "type": event, "timestamp": at, "data": data }).to_string()
}

async fn insert(tx: &mut Tx, id: MessageId, webhook: WebhookId, event: &str, body: &str) -> Result<()> {
    let now = tx.now();
    tx.sql(
        "INSERT INTO webhook_messages (id, webhook_id, event, body, created_at, due_at, tries)
         VALUES ($1, $2, $3, $4, $5, $5, 0) ON CONFLICT DO NOTHING",
    )
    .bind(id)
    .bind(webhook)
    .bind(event)
    .bind(body)
    .bind(now)
    .unaudited("part of what caused it")
    .run()
    .await?;
    tx.will_call();
    Ok(())
}

/// What is written pays for what is forgotten.
async fn sweep(tx: &mut Tx) -> Result<()> {
    let before = tx.now() - KEPT;
    tx.sql(
        "DELETE FROM webhook_messages WHERE id IN (
           SELECT id FROM webhook_messages WHERE created_at < $1 ORDER BY created_at LIMIT 100)",
    )
    .bind(before)
    .unaudited("kept for as long as is promised")
    .run()
    .await?;
    Ok(())
}

/// The messages to a webhook, the newest first, at most `limit` before the one given.
/// # Errors
/// As the database.
pub async fn list(tx: &mut Tx, webhook: WebhookId, before: Option<MessageId>, limit: i64) -> Result<Vec<Message>> {
    tx.sql(
        "SELECT id, webhook_id, event, created_at, due_at, tries, tried_at, status, error, delivered_at, failed_at
         FROM webhook_messages WHERE webhook_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3",
    )
    .bind(webhook)
    .bind(before_id(before))
    .bind(limit)
    .all()
    .await
}

/// The message with this id.
/// # Errors
/// [`crate::Error::NotFound`] when there is none.
pub async fn get(tx: &mut Tx, id: MessageId) -> Result<Message> {
    tx.sql(
        "SELECT id, webhook_id, event, created_at, due_at, tries, tried_at, status, error, delivered_at, failed_at
         FROM webhook_messages WHERE id = $1",
    )
    .bind(id)
    .optional()
    .await
    .or_not_found("message")
}

/// Claims messages that are due, those that wait longest, at most `limit`: nobody else takes them until the lease ends, and whoever
/// finds them afterwards may. Counts the try.
/// # Errors
/// As the database.
pub async fn claim(tx: &mut Tx, lease: Duration, limit: i64) -> Result<Vec<Claimed>> {
    let now = tx.now();
    tx.sql(
        "UPDATE webhook_messages SET due_at = $2, tried_at = $1, tries = tries + 1
         WHERE id IN (
           SELECT m.id FROM webhook_messages m JOIN webhooks w ON w.id = m.webhook_id
           WHERE m.delivered_at IS NULL AND m.failed_at IS NULL AND m.due_at <= $1 AND w.disabled_at IS NULL
           ORDER BY m.due_at LIMIT $3)
         RETURNING id, webhook_id, event, body, created_at, tries",
    )
    .bind(now)
    .bind(now + lease)
    .bind(limit)
    .unaudited("bookkeeping of what is sent")
    .all()
    .await
}

/// Notes how a try ended. A message whose webhook is gone by now is gone, too.
/// # Errors
/// As the database.
pub async fn note(tx: &mut Tx, id: MessageId, tried: &Tried) -> Result<()> {
    let now = tx.now();
    let (delivered, failed) = match (&tried.error, tried.again_at) {
        (None, _) => (Some(now), None),
        (Some(_), None) => (None, Some(now)),
        (Some(_), Some(_)) => (None, None),
    };
    tx.sql(
        "UPDATE webhook_messages SET status = $2, error = $3, due_at = $4, delivered_at = $5, failed_at = $6, tried_at = $7
         WHERE id = $1 AND delivered_at IS NULL",
    )
    .bind(id)
    .bind(tried.status)
    .bind(tried.error.as_deref())
    .bind(tried.again_at.unwrap_or(now))
    .bind(delivered)
    .bind(failed)
    .bind(now)
    .unaudited("bookkeeping of what is sent")
    .run()
    .await?;
    Ok(())
}

/// Whether a webhook took any message since a time.
/// # Errors
/// As the database.
pub async fn has_taken(tx: &mut Tx, webhook: WebhookId, since: Time) -> Result<bool> {
    let taken: Option<MessageId> = tx
        .sql("SELECT id FROM webhook_messages WHERE webhook_id = $1 AND delivered_at >= $2 ORDER BY id DESC LIMIT 1")
        .bind(webhook)
        .bind(since)
        .optional()
        .await?;
    Ok(taken.is_some())
}

/// When the next message is due; none when nothing waits for a webhook that is on.
/// # Errors
/// As the database.
pub async fn next_due(tx: &mut Tx) -> Result<Option<Time>> {
    tx.sql(
        "SELECT m.due_at FROM webhook_messages m JOIN webhooks w ON w.id = m.webhook_id
         WHERE m.delivered_at IS NULL AND m.failed_at IS NULL AND m.due_at > $1 AND w.disabled_at IS NULL
         ORDER BY m.due_at LIMIT 1",
    )
    .bind(Time::from_micros(0))
    .optional()
    .await
}
