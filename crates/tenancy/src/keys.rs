//! API keys: making one, rotating one, warning before one ends.

use std::time::Duration;

use domain::access::PermissionSet;
use domain::address::Network;
use domain::api_key::{self, Mode, Presented};
use domain::text::KeyName;
use domain::{ApiKeyId, ProjectId, Time};
use serde_json::json;
use store::audit::Event;
use store::control::api_keys::{self, ApiKey};
use store::control::mails;
use store::{Actor, ControlTx, Json, Scope, Turn};

use crate::{Error, House, Result, entitlements, letters};

/// How long a key lives when its maker says nothing.
pub const LIFETIME: Duration = Duration::from_hours(90 * 24);
/// How long before its end a key's maker is warned.
pub const WARNING: Duration = Duration::from_hours(7 * 24);

/// How much a key may do; the metering enforces it.
#[derive(Debug, Clone, Default)]
pub struct Limits {
    /// Requests a minute.
    pub rate_per_minute: Option<i64>,
    /// Requests a day.
    pub calls_per_day: Option<i64>,
    /// What it may spend a month, in millionths of the currency.
    pub budget_micros: Option<i64>,
    /// The currency of the budget.
    pub currency: Option<String>,
}

/// A key to make.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// What it is for.
    pub name: KeyName,
    /// For real work or for trying things out.
    pub mode: Mode,
    /// The project it is for, if only one.
    pub project: Option<ProjectId>,
    /// What it may do at most. That the maker holds all of it is for the caller to see.
    pub scopes: PermissionSet,
    /// From where it may be used; empty for anywhere.
    pub addresses: Vec<Network>,
    /// How much it may do.
    pub limits: Limits,
    /// When it ends; 90 days from now when left out.
    pub expires_at: Option<Time>,
}

/// A key that was written but not committed, with the text that is shown once.
#[derive(Debug)]
pub struct Fresh {
    /// The transaction, for the answer to be stored in and to be committed.
    pub tx: ControlTx,
    /// The key as lists show it.
    pub key: ApiKey,
    /// The key itself.
    pub presented: Presented,
}

/// Makes a key for the scope's organisation and person. One that a key makes ends with its maker key.
/// # Errors
/// [`Error::Forbidden`] when the maker key has just ended; [`Error::Allowance`] when the plan includes no more keys.
pub async fn create(house: &House, scope: &Scope, new: &NewKey) -> Result<Fresh> {
    let (mut tx, presented) = begin(house, scope, new.mode).await?;
    entitlements::require_key(house, &mut tx, scope.org()).await?;
    let now = house.store.ambient().now();
    let maker = match scope.actor() {
        Actor::Key { key, .. } => Some(living(&mut tx, scope, *key, now).await?),
        _ => None,
    };
    let key = ApiKey {
        id: house.store.ambient().id(),
        org_id: scope.org(),
        project_id: new.project,
        user_id: scope.user(),
        membership_id: scope.membership(),
        public_id: presented.public_id().to_string(),
        mode: new.mode.as_str().to_owned(),
        name: new.name.clone(),
        last4: presented.last4(),
        scopes: Json(new.scopes.iter().map(|scope| scope.to_string()).collect()),
        addresses: Json(new.addresses.iter().map(|network| network.as_str().to_owned()).collect()),
        rate_per_minute: new.limits.rate_per_minute,
        calls_per_day: new.limits.calls_per_day,
        budget_micros: new.limits.budget_micros,
        currency: new.limits.currency.clone(),
        created_at: now,
        expires_at: Some(new.expires_at.unwrap_or(now + LIFETIME)),
        seen_at: None,
        // A key that was rotated lives on for its grace period; what it makes then lives no longer.
        revoked_at: maker.as_ref().and_then(|maker| maker.revoked_at),
        replaced_by: None,
        made_by_key: maker.map(|maker| maker.id),
        version: 1,
    };
    api_keys::insert(&mut tx, &key, &presented).await?;
    let detail = json!({ "prefix": presented.prefix(), "project": key.project_id, "scopes": key.scopes.0 });
    let event = Event::new("api_key.created", key.id).after(&key).detail(detail);
    tx.record(scope.org(), scope.actor(), scope.origin(), event).await?;
    Ok(Fresh { tx, key, presented })
}

/// Makes a key that takes another's place: same name, scopes, project, addresses and limits, and as long a life as the other was
/// given. The other lives on for the grace period. The budgets and rate limits that stand on the other are on their way to the new one
/// with the commit; whoever shows it waits for them ([`store::Store::deliver`]).
/// # Errors
/// [`Error::Conflict`] when the other has ended, or was rotated already; [`Error::Allowance`] when it took the place of one that still works, and
/// the plan includes no third.
pub async fn rotate(house: &House, scope: &Scope, id: ApiKeyId, mode: Mode, grace: Duration) -> Result<Fresh> {
    let (mut tx, presented) = begin(house, scope, mode).await?;
    let now = house.store.ambient().now();
    let old = api_keys::get(&mut tx, scope.org(), id).await?;
    if old.revoked_at.is_some() {
        return Err(Error::Conflict("The key was revoked or rotated already; make a new one.".into()));
    }
    if old.expires_at.is_some_and(|at| at <= now) {
        return Err(Error::Conflict("The key has expired; make a new one.".into()));
    }
    // A plan that is used up does not keep anybody from rotating a key; but two of each are enough.
    if !grace.is_zero() && api_keys::is_second(&mut tx, &old).await? {
        entitlements::require_key(house, &mut tx, scope.org()).await?;
    }
    let made_by = match old.made_by_key {
        Some(maker) => Some(living(&mut tx, scope, maker, now).await?),
        None => None,
    };
    let wished = old.expires_at.map(|at| now + at.since(old.created_at));
    let expires_at = match made_by.and_then(|maker| maker.expires_at) {
        Some(ends) => Some(wished.map_or(ends, |wished| wished.min(ends))),
        None => wished,
    };
    let key = ApiKey {
        id: house.store.ambient().id(),
        membership_id: scope.membership(),
        public_id: presented.public_id().to_string(),
        last4: presented.last4(),
        created_at: now,
        expires_at,
        seen_at: None,
        version: 1,
        ..old.clone()
    };
    api_keys::insert(&mut tx, &key, &presented).await?;
    let over = api_keys::replace(&mut tx, scope.org(), old.id, key.id, now + grace).await?;
    let detail = json!({ "prefix": presented.prefix(), "replaced_by": key.id, "grace_seconds": grace.as_secs() });
    let event = Event::new("api_key.rotated", old.id).before(&old).after(&key).detail(detail);
    tx.record(scope.org(), scope.actor(), scope.origin(), event).await?;
    tx.succeed(scope, old.id, key.id, over).await?;
    Ok(Fresh { tx, key, presented })
}

/// Revokes a key, and the keys that it made. The transaction is ready to be committed; there is none when the key was revoked before.
/// # Errors
/// [`store::Error::NotFound`] when there is none such.
pub async fn revoke(house: &House, scope: &Scope, id: ApiKeyId) -> Result<Option<ControlTx>> {
    let mut tx = house.store.begin_control(Turn::Org(scope.org())).await?;
    let key = api_keys::get(&mut tx, scope.org(), id).await?;
    if key.revoked_at.is_some_and(|at| at <= house.store.ambient().now()) {
        return Ok(None);
    }
    for ended in api_keys::revoke(&mut tx, scope.org(), id).await? {
        let event = Event::new("api_key.revoked", ended);
        let event = if ended == id { event.before(&key) } else { event.detail(json!({ "with": id })) };
        tx.record(scope.org(), scope.actor(), scope.origin(), event).await?;
    }
    Ok(Some(tx))
}

/// A key that makes another; refused when it has ended since the request was let in.
async fn living(tx: &mut ControlTx, scope: &Scope, id: ApiKeyId, now: Time) -> Result<ApiKey> {
    let key = api_keys::get(tx, scope.org(), id).await?;
    let over = |at: Option<Time>| at.is_some_and(|at| at <= now);
    if over(key.revoked_at) || over(key.expires_at) {
        return Err(Error::Forbidden("The key that this one ends with has just ended.".into()));
    }
    Ok(key)
}

/// Begins with a key whose public id is not in use; the ids are random, so another is tried when one is.
async fn begin(house: &House, scope: &Scope, mode: Mode) -> Result<(ControlTx, Presented)> {
    let mut tx = house.store.begin_control(Turn::Org(scope.org())).await?;
    loop {
        let presented = api_key::generate(house.store.ambient(), mode);
        if !api_keys::is_taken(&mut tx, presented.public_id()).await? {
            return Ok((tx, presented));
        }
    }
}

/// Warns the makers of keys that end within a week, each once; says how many mails were queued.
/// # Errors
/// As the database; what was not queued is queued the next time.
pub async fn warn_expiring(house: &House) -> Result<usize> {
    let mut queued = 0;
    loop {
        let mut tx = house.store.begin_control(Turn::Free).await?;
        let before = house.store.ambient().now() + WARNING;
        let expiring = api_keys::expiring(&mut tx, before).await?;
        if expiring.is_empty() {
            return Ok(queued);
        }
        for key in expiring {
            if api_keys::warned(&mut tx, key.id).await? {
                mails::queue(&mut tx, letters::key_ends(house, &key)).await?;
                queued += 1;
            }
        }
        tx.commit().await?;
    }
}
