//! Providers of models that an organisation, one of its projects or one of its people brought, each with its key, sealed.

use domain::models::ProviderKind;
use domain::prices::Price;
use domain::text::{ModelName, ProviderName};
use domain::{MembershipId, ProjectId, ProviderId, Time, UserId};
use serde::{Deserialize, Serialize};

use super::Tx;
use crate::deliveries::Departure;
use crate::sql::{Json, Transaction, after_id};
use crate::{Error, OrNotFound, Result};

/// The place in which providers' secrets are sealed ([`super::OrgStore::seal`]).
pub const SEALED: &str = "providers.sealed";

/// A provider.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Provider {
    /// The id.
    pub id: ProviderId,
    /// What it is called.
    pub name: ProviderName,
    /// Which dialect it speaks.
    pub kind: ProviderKind,
    /// Where it is.
    pub base_url: String,
    /// The project it is for, if only one.
    pub project_id: Option<ProjectId>,
    /// The person it is for, if only one.
    pub user_id: Option<UserId>,
    /// That person's stay: it ends with it.
    pub membership_id: Option<MembershipId>,
    /// The models that it is asked for; none named for all that have a price.
    pub models: Json<Vec<Model>>,
    /// The names of the headers that it is sent.
    pub headers: Json<Vec<String>>,
    /// How the key ends.
    pub key_last4: Option<String>,
    /// The key and the headers' values, sealed.
    pub sealed: Option<Vec<u8>>,
    /// Which of the organisation's keys sealed them.
    pub key_version: i64,
    /// When it is not asked any more.
    pub expires_at: Option<Time>,
    /// When it was last asked, to the minute.
    pub last_used_at: Option<Time>,
    /// Who brought it.
    pub made_by: UserId,
    /// Counts changes, for ETags.
    pub version: i64,
    /// When it was brought.
    pub created_at: Time,
    /// When it was last changed.
    pub updated_at: Time,
}

/// A model that a provider serves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Model {
    /// The provider's name for it.
    pub name: ModelName,
    /// What its owner says it costs, for models that no list knows.
    pub price: Option<OwnPrice>,
}

/// A price that a key's owner names: millionths of a dollar for a million tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnPrice {
    /// For tokens read.
    pub input: i64,
    /// For tokens written.
    pub output: i64,
    /// For tokens read from the provider's cache.
    pub cached: Option<i64>,
    /// Tokens held for an answer whose caller names no limit.
    pub answer: Option<u64>,
}

impl Model {
    /// What its owner says it costs.
    #[must_use]
    pub fn own_price(&self) -> Option<Price> {
        let OwnPrice { input, output, cached, answer } = self.price?;
        Some(Price { cached, answer, ..Price::flat(self.name.as_str(), input, output) })
    }
}

/// Adds a provider.
/// # Errors
/// [`Error::NotFound`] when its project is gone.
pub async fn insert(tx: &mut Tx, provider: &Provider) -> Result<()> {
    let added = tx
        .sql(
            "INSERT INTO providers (id, name, kind, base_url, project_id, user_id, membership_id, models, headers, key_last4, sealed,
                                    key_version, expires_at, made_by, version, created_at, updated_at)
             SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $16
             WHERE $5 IS NULL OR EXISTS (SELECT 1 FROM projects WHERE id = $5)",
        )
        .bind(provider.id)
        .bind(&provider.name)
        .bind(provider.kind.as_str())
        .bind(&provider.base_url)
        .bind(provider.project_id)
        .bind(provider.user_id)
        .bind(provider.membership_id)
        .bind(provider.models.text())
        .bind(provider.headers.text())
        .bind(provider.key_last4.as_deref())
        .bind(provider.sealed.clone())
        .bind(provider.key_version)
        .bind(provider.expires_at)
        .bind(provider.made_by)
        .bind(provider.version)
        .bind(provider.created_at)
        .run()
        .await?;
    if added == 0 { Err(Error::NotFound("project")) } else { Ok(()) }
}

/// All providers, of whomever, by id, at most `limit` after the one given. Knows nothing of rights: the caller drops what must not be
/// seen, and reads on until its page is full.
/// # Errors
/// As the database.
pub async fn list(tx: &mut Tx, after: Option<ProviderId>, limit: i64) -> Result<Vec<Provider>> {
    tx.sql(
        "SELECT id, name, kind, base_url, project_id, user_id, membership_id, models, headers, key_last4, sealed, key_version,
                expires_at, last_used_at, made_by, version, created_at, updated_at
         FROM providers WHERE id > $1 ORDER BY id LIMIT $2",
    )
    .bind(after_id(after))
    .bind(limit)
    .all()
    .await
}

/// Those for the whole organisation and for its projects, the oldest first, at most `limit`.
/// # Errors
/// As the database.
pub async fn shared(tx: &mut Tx, limit: i64) -> Result<Vec<Provider>> {
    tx.sql(
        "SELECT id, name, kind, base_url, project_id, user_id, membership_id, models, headers, key_last4, sealed, key_version,
                expires_at, last_used_at, made_by, version, created_at, updated_at
         FROM providers WHERE user_id IS NULL ORDER BY id LIMIT $1",
    )
    .bind(limit)
    .all()
    .await
}

/// Those that a person brought for themselves, the oldest first, at most `limit`.
/// # Errors
/// As the database.
pub async fn of_person(tx: &mut Tx, user: UserId, limit: i64) -> Result<Vec<Provider>> {
    tx.sql(
        "SELECT id, name, kind, base_url, project_id, user_id, membership_id, models, headers, key_last4, sealed, key_version,
                expires_at, last_used_at, made_by, version, created_at, updated_at
         FROM providers WHERE user_id = $1 ORDER BY id LIMIT $2",
    )
    .bind(user)
    .bind(limit)
    .all()
    .await
}

/// The provider with this id, if there is one.
/// # Errors
/// As the database.
pub async fn find(tx: &mut Tx, id: ProviderId) -> Result<Option<Provider>> {
    tx.sql(
        "SELECT id, name, kind, base_url, project_id, user_id, membership_id, models, headers, key_last4, sealed, key_version,
                expires_at, last_used_at, made_by, version, created_at, updated_at
         FROM providers WHERE id = $1",
    )
    .bind(id)
    .optional()
    .await
}

/// The provider with this id.
/// # Errors
/// [`Error::NotFound`] when there is none.
pub async fn get(tx: &mut Tx, id: ProviderId) -> Result<Provider> {
    find(tx, id).await.or_not_found("provider")
}

/// Writes back what can change of a provider; counts the version up.
/// # Errors
/// [`Error::Stale`] when the version is not the one given.
pub async fn update(tx: &mut Tx, provider: &Provider) -> Result<()> {
    let now = tx.now();
    let changed = tx
        .sql(
            "UPDATE providers SET name = $2, base_url = $3, models = $4, headers = $5, key_last4 = $6, sealed = $7, key_version = $8,
                                  expires_at = $9, version = version + 1, updated_at = $10
             WHERE id = $1 AND version = $11",
        )
        .bind(provider.id)
        .bind(&provider.name)
        .bind(&provider.base_url)
        .bind(provider.models.text())
        .bind(provider.headers.text())
        .bind(provider.key_last4.as_deref())
        .bind(provider.sealed.clone())
        .bind(provider.key_version)
        .bind(provider.expires_at)
        .bind(now)
        .bind(provider.version)
        .run()
        .await?;
    if changed == 0 { Err(Error::Stale("provider")) } else { Ok(()) }
}

/// Notes that a provider was asked. Changes nothing else, its version neither.
/// # Errors
/// As the database.
pub async fn touch(tx: &mut Tx, id: ProviderId) -> Result<()> {
    let now = tx.now();
    tx.sql("UPDATE providers SET last_used_at = $2 WHERE id = $1")
        .bind(id)
        .bind(now)
        .unaudited("when it was last asked, to the minute")
        .run()
        .await?;
    Ok(())
}

/// Takes a provider away, with its key.
/// # Errors
/// As the database.
pub async fn delete(tx: &mut Tx, id: ProviderId) -> Result<bool> {
    Ok(tx.sql("DELETE FROM providers WHERE id = $1").bind(id).run().await? == 1)
}

/// Takes away what a person brought for themselves during a stay that has ended.
pub(crate) async fn depart(tx: &mut Transaction, departure: &Departure) -> Result<()> {
    tx.sql("DELETE FROM providers WHERE user_id = $1 AND membership_id = $2")
        .bind(departure.user)
        .bind(departure.membership)
        .unaudited("part of the end of a stay, which is recorded")
        .run()
        .await?;
    Ok(())
}
