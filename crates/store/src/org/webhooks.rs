//! Webhooks: addresses that the organisation has told of events, each with the secret that signs what it is told.

use domain::events::EventType;
use domain::text::Description;
use domain::{Time, UserId, WebhookId};
use serde::{Deserialize, Serialize};

use super::Tx;
use crate::sql::{Json, after_id};
use crate::{Error, OrNotFound, Result};

/// The place in which webhooks' secrets are sealed ([`super::OrgStore::seal`]), the former ones too.
pub const SEALED: &str = "webhooks.sealed";

/// The most webhooks of an organisation: each event is told to all that ask for it.
pub const MOST: i64 = 20;

/// Why a webhook is told nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Because {
    /// Somebody switched it off.
    Asked,
    /// It took nothing for about a day.
    Failing,
    /// It answered 410: it does not want to be told any more.
    Gone,
}

impl Because {
    /// The name in the API and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Failing => "failing",
            Self::Gone => "gone",
        }
    }
}

/// A webhook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Webhook {
    /// The id.
    pub id: WebhookId,
    /// Where it is told.
    pub url: String,
    /// What it is for.
    pub description: Description,
    /// What it is told of, by name.
    pub events: Json<Vec<String>>,
    /// The secret, sealed.
    pub sealed: Vec<u8>,
    /// The secret before, sealed.
    pub former_sealed: Option<Vec<u8>>,
    /// Until when the one before signs, too.
    pub former_until: Option<Time>,
    /// Which of the organisation's keys sealed them.
    pub key_version: i64,
    /// Since when it is told nothing.
    pub disabled_at: Option<Time>,
    /// Why it is told nothing.
    pub disabled_because: Option<Because>,
    /// Who made it.
    pub made_by: UserId,
    /// Counts changes, for ETags.
    pub version: i64,
    /// When it was made.
    pub created_at: Time,
    /// When it was last changed.
    pub updated_at: Time,
}

impl Webhook {
    /// Whether it is told of an event.
    #[must_use]
    pub fn listens_to(&self, event: EventType) -> bool {
        self.disabled_at.is_none() && self.events.0.iter().any(|name| name == event.as_str())
    }

    /// Switches it off, or on again; what it is already stays as it is.
    pub fn disable(&mut self, because: Option<Because>, now: Time) {
        if because.is_some() && self.disabled_at.is_some() {
            return;
        }
        self.disabled_at = because.map(|_| now);
        self.disabled_because = because;
    }
}

/// Adds a webhook.
/// # Errors
/// As the database.
pub async fn insert(tx: &mut Tx, webhook: &Webhook) -> Result<()> {
    tx.sql(
        "INSERT INTO webhooks (id, url, description, events, sealed, former_sealed, former_until, key_version, disabled_at,
                               disabled_because, made_by, version, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13)",
    )
    .bind(webhook.id)
    .bind(&webhook.url)
    .bind(&webhook.description)
    .bind(webhook.events.text())
    .bind(webhook.sealed.clone())
    .bind(webhook.former_sealed.clone())
    .bind(webhook.former_until)
    .bind(webhook.key_version)
    .bind(webhook.disabled_at)
    .bind(webhook.disabled_because.map(Because::as_str))
    .bind(webhook.made_by)
    .bind(webhook.version)
    .bind(webhook.created_at)
    .run()
    .await?;
    Ok(())
}

/// All webhooks, by id, at most `limit` after the one given.
/// # Errors
/// As the database.
pub async fn list(tx: &mut Tx, after: Option<WebhookId>, limit: i64) -> Result<Vec<Webhook>> {
    tx.sql(
        "SELECT id, url, description, events, sealed, former_sealed, former_until, key_version, disabled_at, disabled_because,
                made_by, version, created_at, updated_at
         FROM webhooks WHERE id > $1 ORDER BY id LIMIT $2",
    )
    .bind(after_id(after))
    .bind(limit)
    .all()
    .await
}

/// How many webhooks there are.
/// # Errors
/// As the database.
pub async fn count(tx: &mut Tx) -> Result<i64> {
    tx.sql("SELECT count(*) FROM webhooks").one().await
}

/// The webhook with this id, if it is still there.
/// # Errors
/// As the database.
pub async fn find(tx: &mut Tx, id: WebhookId) -> Result<Option<Webhook>> {
    tx.sql(
        "SELECT id, url, description, events, sealed, former_sealed, former_until, key_version, disabled_at, disabled_because,
                made_by, version, created_at, updated_at
         FROM webhooks WHERE id = $1",
    )
    .bind(id)
    .optional()
    .await
}

/// The webhook with this id.
/// # Errors
/// [`Error::NotFound`] when there is none.
pub async fn get(tx: &mut Tx, id: WebhookId) -> Result<Webhook> {
    find(tx, id).await.or_not_found("webhook")
}

/// Writes back what can change of a webhook; counts the version up.
/// # Errors
/// [`Error::Stale`] when the version is not the one given.
pub async fn update(tx: &mut Tx, webhook: &Webhook) -> Result<()> {
    let now = tx.now();
    let changed = tx
        .sql(
            "UPDATE webhooks SET url = $2, description = $3, events = $4, sealed = $5, former_sealed = $6, former_until = $7,
                                 key_version = $8, disabled_at = $9, disabled_because = $10, version = version + 1, updated_at = $11
             WHERE id = $1 AND version = $12",
        )
        .bind(webhook.id)
        .bind(&webhook.url)
        .bind(&webhook.description)
        .bind(webhook.events.text())
        .bind(webhook.sealed.clone())
        .bind(webhook.former_sealed.clone())
        .bind(webhook.former_until)
        .bind(webhook.key_version)
        .bind(webhook.disabled_at)
        .bind(webhook.disabled_because.map(Because::as_str))
        .bind(now)
        .bind(webhook.version)
        .run()
        .await?;
    if changed == 0 { Err(Error::Stale("webhook")) } else { Ok(()) }
}

/// Takes a webhook away, with all that it was told and was to be told.
/// # Errors
/// As the database.
pub async fn delete(tx: &mut Tx, id: WebhookId) -> Result<bool> {
    Ok(tx.sql("DELETE FROM webhooks WHERE id = $1").bind(id).run().await? == 1)
}
