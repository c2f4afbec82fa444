//! API keys: credentials of programs, for one organisation or one project of it. A keyed hash is stored, never the key.

use std::sync::OnceLock;

use domain::access::{Permission, PermissionSet};
use domain::api_key::{Presented, PublicId};
use domain::status::Standing;
use domain::text::KeyName;
use domain::{ApiKeyId, MembershipId, OrgId, ProjectId, Time, UserId};
use serde::{Deserialize, Serialize};

use super::ControlTx;
use crate::sql::{Json, before_id};
use crate::{Error, OrNotFound, OrTaken, Result, Store, Turn};

/// A key with what each request must know of it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Verified {
    pub(crate) id: ApiKeyId,
    pub(crate) org_id: OrgId,
    pub(crate) project_id: Option<ProjectId>,
    pub(crate) user_id: UserId,
    pub(crate) membership_id: MembershipId,
    pub(crate) hash: Vec<u8>,
    scopes: Json<Vec<String>>,
    #[serde(skip)]
    permissions: OnceLock<PermissionSet>,
    addresses: Json<Vec<String>>,
    pub(crate) expires_at: Option<Time>,
    pub(crate) revoked_at: Option<Time>,
    pub(crate) seen_at: Option<Time>,
    pub(crate) person_standing: Standing,
    pub(crate) rate_per_minute: Option<i64>,
    pub(crate) calls_per_day: Option<i64>,
    pub(crate) budget_micros: Option<i64>,
    pub(crate) currency: Option<String>,
}

impl Verified {
    pub(crate) fn scopes(&self) -> PermissionSet {
        // A permission that this version no longer knows gives nothing.
        let known = || self.scopes.0.iter().filter_map(|name| name.parse::<Permission>().ok()).collect();
        *self.permissions.get_or_init(known)
    }

    pub(crate) fn admits(&self, address: &str) -> bool {
        self.addresses.0.is_empty() || self.addresses.0.iter().any(|allowed| domain::address::within(address, allowed))
    }
}

pub(crate) async fn find_presented(tx: &mut ControlTx, presented: &Presented) -> Result<Option<Verified>> {
    tx.sql(
        "SELECT k.id, k.org_id, k.project_id, k.user_id, k.membership_id, k.hash, k.scopes, k.addresses, k.expires_at, k.revoked_at,
                k.seen_at, k.rate_per_minute, k.calls_per_day, k.budget_micros, k.currency, p.standing AS person_standing
         FROM api_keys k JOIN people p ON p.id = k.user_id WHERE k.public_id = $1 AND k.mode = $2",
    )
    .bind(presented.public_id().to_string())
    .bind(presented.mode().as_str())
    .optional()
    .await
}

pub(crate) async fn touch(store: &Store, id: ApiKeyId, now: Time) -> Result<()> {
    let mut tx = store.begin_control(Turn::Free).await?;
    tx.sql("UPDATE api_keys SET seen_at = $2 WHERE id = $1").bind(id).bind(now).unaudited("last use").run().await?;
    tx.commit().await
}

/// A key as lists show it: all but the secret.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ApiKey {
    /// The id.
    pub id: ApiKeyId,
    /// The organisation it is for.
    pub org_id: OrgId,
    /// The project it is for, if only one.
    pub project_id: Option<ProjectId>,
    /// Its maker.
    pub user_id: UserId,
    /// The maker's stay in the organisation: the key ends with it.
    pub membership_id: MembershipId,
    /// The eight characters that name it, shown in lists and logs.
    pub public_id: String,
    /// `live` or `test`.
    pub mode: String,
    /// What it is for.
    pub name: KeyName,
    /// The last four characters of the key.
    pub last4: String,
    /// What it may do at most.
    #[serde(serialize_with = "as_list")]
    pub scopes: Json<Vec<String>>,
    /// From where it may be used: addresses or networks; empty for anywhere.
    #[serde(serialize_with = "as_list")]
    pub addresses: Json<Vec<String>>,
    /// Requests a minute.
    pub rate_per_minute: Option<i64>,
    /// Requests a day.
    pub calls_per_day: Option<i64>,
    /// What it may spend a month, in millionths of the currency.
    pub budget_micros: Option<i64>,
    /// The currency of the budget.
    pub currency: Option<String>,
    /// When it was made.
    pub created_at: Time,
    /// When it ends.
    pub expires_at: Option<Time>,
    /// When it was last used, to the minute.
    pub seen_at: Option<Time>,
    /// When it was, or will be, revoked: a rotated key lives on for its grace period.
    pub revoked_at: Option<Time>,
    /// The key that took its place; while it still works, the last of its line.
    pub replaced_by: Option<ApiKeyId>,
    /// The key that made it, if one did: it ends with that one.
    pub made_by_key: Option<ApiKeyId>,
    /// Counts changes, for ETags.
    pub version: i64,
}

fn as_list<S: serde::Serializer>(list: &Json<Vec<String>>, serializer: S) -> Result<S::Ok, S::Error> {
    list.0.serialize(serializer)
}

/// Whether a public id is in use, in whatever organisation.
/// # Errors
/// As the database.
pub async fn is_taken(tx: &mut ControlTx, id: PublicId) -> Result<bool> {
    tx.sql("SELECT EXISTS (SELECT 1 FROM api_keys WHERE public_id = $1)").bind(id.to_string()).one().await
}

/// Adds a key.
/// # Errors
/// [`Error::Taken`] when the public id is in use.
pub async fn insert(tx: &mut ControlTx, key: &ApiKey, presented: &Presented) -> Result<()> {
    let hash = tx.store().fingerprint("api key", presented.secret().as_bytes());
    tx.sql(
        "INSERT INTO api_keys (id, public_id, org_id, project_id, user_id, membership_id, name, mode, hash, last4, scopes, addresses,
                               rate_per_minute, calls_per_day, budget_micros, currency, created_at, updated_at, expires_at, revoked_at, made_by_key)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $17, $18, $19, $20)",
    )
    .bind(key.id)
    .bind(&key.public_id)
    .bind(key.org_id)
    .bind(key.project_id)
    .bind(key.user_id)
    .bind(key.membership_id)
    .bind(&key.name)
    .bind(&key.mode)
    .bind(hash)
    .bind(&key.last4)
    .bind(serde_json::to_string(&key.scopes.0).unwrap_or_default())
    .bind(serde_json::to_string(&key.addresses.0).unwrap_or_default())
    .bind(key.rate_per_minute)
    .bind(key.calls_per_day)
    .bind(key.budget_micros)
    .bind(key.currency.clone())
    .bind(key.created_at)
    .bind(key.expires_at)
    .bind(key.revoked_at)
    .bind(key.made_by_key)
    .run()
    .await
    .or_taken("public id")?;
    Ok(())
}

/// Writes back what can change of a key: its name, its addresses and its limits; counts the version up.
/// # Errors
/// [`Error::Stale`] when the version is not the one given.
pub async fn update(tx: &mut ControlTx, key: &ApiKey) -> Result<()> {
    let now = tx.now();
    let changed = tx
        .sql(
            "UPDATE api_keys SET name = $3, addresses = $4, rate_per_minute = $5, calls_per_day = $6, budget_micros = $7, currency = $8,
                                 version = version + 1, updated_at = $10
             WHERE org_id = $1 AND id = $2 AND version = $9",
        )
        .bind(key.org_id)
        .bind(key.id)
        .bind(&key.name)
        .bind(serde_json::to_string(&key.addresses.0).unwrap_or_default())
        .bind(key.rate_per_minute)
        .bind(key.calls_per_day)
        .bind(key.budget_micros)
        .bind(key.currency.clone())
        .bind(key.version)
        .bind(now)
        .run()
        .await?;
    tx.shift_authority();
    if changed == 0 { Err(Error::Stale("API key")) } else { Ok(()) }
}

/// A key of an organisation.
/// # Errors
/// [`crate::Error::NotFound`] when it has none such.
pub async fn get(tx: &mut ControlTx, org: OrgId, id: ApiKeyId) -> Result<ApiKey> {
    tx.sql(
        "SELECT id, org_id, project_id, user_id, membership_id, public_id, mode, name, last4, scopes, addresses, rate_per_minute,
                calls_per_day, budget_micros, currency, created_at, expires_at, seen_at, revoked_at, replaced_by, made_by_key, version
         FROM api_keys WHERE org_id = $1 AND id = $2",
    )
    .bind(org)
    .bind(id)
    .optional()
    .await
    .or_not_found("API key")
}

/// The keys of an organisation, the newest first: all, or one maker's; at most `limit` before the one given.
/// # Errors
/// As the database.
pub async fn list(
    tx: &mut ControlTx,
    org: OrgId,
    maker: Option<UserId>,
    before: Option<ApiKeyId>,
    limit: i64,
) -> Result<Vec<ApiKey>> {
    tx.sql(
        "SELECT id, org_id, project_id, user_id, membership_id, public_id, mode, name, last4, scopes, addresses, rate_per_minute,
                calls_per_day, budget_micros, currency, created_at, expires_at, seen_at, revoked_at, replaced_by, made_by_key, version
         FROM api_keys WHERE org_id = $1 AND ($2 IS NULL OR user_id = $2) AND id < $3 ORDER BY id DESC LIMIT $4",
    )
    .bind(org)
    .bind(maker)
    .bind(before_id(before))
    .bind(limit)
    .all()
    .await
}

/// Revokes a key now, with those it made and those they made; says which ended by this.
/// # Errors
/// As the database.
pub async fn revoke(tx: &mut ControlTx, org: OrgId, id: ApiKeyId) -> Result<Vec<ApiKeyId>> {
    let now = tx.now();
    // UNION and not UNION ALL: a circle could not make it endless.
    let revoked = tx
        .sql(
            "WITH RECURSIVE ending (id) AS (
               SELECT id FROM api_keys WHERE org_id = $1 AND id = $2
               UNION
               SELECT k.id FROM api_keys k JOIN ending e ON k.made_by_key = e.id WHERE k.org_id = $1)
             UPDATE api_keys SET revoked_at = $3, version = version + 1, updated_at = $3
             WHERE org_id = $1 AND id IN (SELECT id FROM ending) AND (revoked_at IS NULL OR revoked_at > $3) RETURNING id",
        )
        .bind(org)
        .bind(id)
        .bind(now)
        .all()
        .await?;
    tx.shift_authority();
    Ok(revoked)
}

/// Puts a new key in the place of one, which is revoked at the given time: what it made is the new one's from now on. Says which keys
/// of this line work no more, the one itself perhaps among them.
/// # Errors
/// As the database.
pub async fn replace(
    tx: &mut ControlTx,
    org: OrgId,
    old: ApiKeyId,
    new: ApiKeyId,
    revoked_at: Time,
) -> Result<Vec<ApiKeyId>> {
    let now = tx.now();
    tx.sql(
        "UPDATE api_keys SET revoked_at = $3, replaced_by = $4, version = version + 1, updated_at = $5
         WHERE org_id = $1 AND id = $2",
    )
    .bind(org)
    .bind(old)
    .bind(revoked_at)
    .bind(new)
    .bind(now)
    .run()
    .await?;
    // One whose place the old key took and that still works is seen from the new one, or the line could grow behind a dead key.
    tx.sql(
        "UPDATE api_keys SET replaced_by = $3, updated_at = $4
         WHERE org_id = $1 AND replaced_by = $2 AND revoked_at > $4",
    )
    .bind(org)
    .bind(old)
    .bind(new)
    .bind(now)
    .run()
    .await?;
    let over = tx
        .sql("SELECT id FROM api_keys WHERE org_id = $1 AND (id = $2 OR replaced_by = $2) AND revoked_at <= $3")
        .bind(org)
        .bind(old)
        .bind(now)
        .all()
        .await?;
    tx.sql("UPDATE api_keys SET made_by_key = $3, updated_at = $4 WHERE org_id = $1 AND made_by_key = $2")
        .bind(org)
        .bind(old)
        .bind(new)
        .bind(now)
        .run()
        .await?;
    tx.shift_authority();
    Ok(over)
}

/// Revokes all keys of a project, and says which they were.
/// # Errors
/// As the database.
pub async fn revoke_project(tx: &mut ControlTx, org: OrgId, project: ProjectId, at: Time) -> Result<Vec<ApiKeyId>> {
    let now = tx.now();
    let revoked = tx
        .sql(
            "UPDATE api_keys SET revoked_at = $3, version = version + 1, updated_at = $4
             WHERE org_id = $1 AND project_id = $2 AND (revoked_at IS NULL OR revoked_at > $3) RETURNING id",
        )
        .bind(org)
        .bind(project)
        .bind(at)
        .bind(now)
        .all()
        .await?;
    tx.shift_authority();
    Ok(revoked)
}

/// How many keys of an organisation have neither expired nor been revoked.
/// # Errors
/// As the database.
pub async fn count_living(tx: &mut ControlTx, org: OrgId) -> Result<i64> {
    let now = tx.now();
    tx.sql(
        "SELECT count(*) FROM api_keys
         WHERE org_id = $1 AND (revoked_at IS NULL OR revoked_at > $2) AND (expires_at IS NULL OR expires_at > $2)",
    )
    .bind(org)
    .bind(now)
    .one()
    .await
}

/// Whether a key took the place of one that still works.
/// # Errors
/// As the database.
pub async fn is_second(tx: &mut ControlTx, key: &ApiKey) -> Result<bool> {
    let now = tx.now();
    tx.sql("SELECT EXISTS (SELECT 1 FROM api_keys WHERE org_id = $1 AND replaced_by = $2 AND revoked_at > $3)")
        .bind(key.org_id)
        .bind(key.id)
        .bind(now)
        .one()
        .await
}

/// A key that ends soon, and whom to warn.
#[derive(Debug, Clone, Deserialize)]
pub struct Expiring {
    /// The key.
    pub id: ApiKeyId,
    /// Its organisation.
    pub org_id: OrgId,
    /// Its maker.
    pub user_id: UserId,
    /// What it is for.
    pub name: KeyName,
    /// The eight characters that name it.
    pub public_id: String,
    /// When it ends.
    pub expires_at: Time,
    /// Its organisation's name.
    pub organisation: String,
    /// Its maker's mail address.
    pub email: domain::email::Email,
}

/// Living keys that end before the given time and whose makers were not warned; at most a hundred.
/// # Errors
/// As the database.
pub async fn expiring(tx: &mut ControlTx, before: Time) -> Result<Vec<Expiring>> {
    let now = tx.now();
    tx.sql(
        "SELECT k.id, k.org_id, k.user_id, k.name, k.public_id, k.expires_at, o.name AS organisation, p.email
         FROM api_keys k JOIN organisations o ON o.id = k.org_id JOIN people p ON p.id = k.user_id
         WHERE k.expires_at > $1 AND k.expires_at < $2 AND k.warned_at IS NULL AND k.revoked_at IS NULL
         ORDER BY k.expires_at LIMIT 100",
    )
    .bind(now)
    .bind(before)
    .all()
    .await
}

/// Notes that a key's maker is warned; says whether it is for the caller to do, as another node may have been faster.
/// # Errors
/// As the database.
pub async fn warned(tx: &mut ControlTx, id: ApiKeyId) -> Result<bool> {
    let now = tx.now();
    let noted = tx
        .sql("UPDATE api_keys SET warned_at = $2 WHERE id = $1 AND warned_at IS NULL")
        .bind(id)
        .bind(now)
        .unaudited("a warning mail is queued")
        .run()
        .await?;
    Ok(noted > 0)
}
