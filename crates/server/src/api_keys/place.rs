//! Which keys are within a caller's reach.

use std::collections::BTreeMap;

use domain::Time;
use domain::access::{Permission, can};
use domain::address::within;
use domain::authoriser::Object;
use domain::{ApiKeyId, ProjectId};
use store::Actor;
use store::control::api_keys::{self, ApiKey};
use store::org::{budgets, projects, rate_limits};

use crate::http::caller::Caller;
use crate::http::error::{Problem, Result};

/// What keys are for, as far as it was looked up.
#[derive(Default)]
pub(super) struct Places(BTreeMap<ProjectId, Object>);

impl Places {
    /// What a key is for: its project or the organisation. The keys of a project that is gone are the organisation's.
    pub(super) async fn of(&mut self, caller: &Caller<can::KeysCreate>, key: &ApiKey) -> Result<Object> {
        let Some(id) = key.project_id else { return Ok(Object::Organisation) };
        if let Some(known) = self.0.get(&id) {
            return Ok(*known);
        }
        let mut tx = caller.read().await?;
        let project = projects::find(&mut tx, id).await?;
        let place = project.map_or(Object::Organisation, |project| Object::Project { id, open: project.open });
        self.0.insert(id, place);
        Ok(place)
    }
}

/// Whether a key is within the caller's reach: their own, or one that they manage.
pub(super) fn within_reach(caller: &Caller<can::KeysCreate>, key: &ApiKey, place: Object) -> bool {
    let own = key.user_id == caller.user() && caller.allows(place);
    own || caller.scope().grants().allow(Permission::KeysManage, place)
}

/// A key within the caller's reach, and what it is for.
pub(super) async fn reach(caller: &Caller<can::KeysCreate>, id: ApiKeyId) -> Result<(ApiKey, Object)> {
    let mut tx = caller.store().read_control().await?;
    let key = api_keys::get(&mut tx, caller.org(), id).await?;
    drop(tx);
    let place = Places::default().of(caller, &key).await?;
    if within_reach(caller, &key, place) { Ok((key, place)) } else { Err(Problem::not_found()) }
}

/// What limits a key, apart from its scopes.
pub(super) struct Limited<'a> {
    pub(super) addresses: &'a [String],
    pub(super) rate_per_minute: Option<i64>,
    pub(super) calls_per_day: Option<i64>,
    pub(super) budget: (Option<i64>, Option<&'a str>),
}

impl<'a> From<&'a ApiKey> for Limited<'a> {
    fn from(key: &'a ApiKey) -> Self {
        Self {
            addresses: &key.addresses.0,
            rate_per_minute: key.rate_per_minute,
            calls_per_day: key.calls_per_day,
            budget: (key.budget_micros, key.currency.as_deref()),
        }
    }
}

/// The key that calls, if one does.
pub(super) async fn calling_key(caller: &Caller<can::KeysCreate>) -> Result<Option<ApiKey>> {
    let Actor::Key { key, .. } = *caller.scope().actor() else { return Ok(None) };
    let mut tx = caller.store().read_control().await?;
    Ok(Some(api_keys::get(&mut tx, caller.org(), key).await?))
}

/// Refuses to let a key with amounts of its own come by one whose amounts are counted anew: it could use them up again and again by that.
/// So it could with what an administrator set on it: that stands on this key alone.
pub(super) async fn refuse_anew(caller: &Caller<can::KeysCreate>, own: Option<&ApiKey>) -> Result<()> {
    let Some(own) = own else { return Ok(()) };
    let mut tx = caller.read().await?;
    let is_limited = own.budget_micros.is_some()
        || own.calls_per_day.is_some()
        || budgets::is_on_key(&mut tx, own.id).await?
        || rate_limits::is_on_key(&mut tx, own.id).await?;
    if !is_limited {
        return Ok(());
    }
    let message = "A key with a budget, a number of calls a day or a rate limit set on it makes and rotates no keys, for theirs would be counted anew; a person can.";
    Err(Problem::new("forbidden", message))
}

/// Refuses to let a key come by one that is less limited than itself: it could shed its limits by that.
pub(super) fn refuse_looser(own: Option<&ApiKey>, new: &Limited<'_>, ends: Option<Time>) -> Result<()> {
    let Some(own) = own else { return Ok(()) };
    let own_addresses = &own.addresses.0;
    let inside = |address: &String| own_addresses.iter().any(|own| own == address || within(address, own));
    let at_most = |own: Option<i64>, new: Option<i64>| own.is_none_or(|own| new.is_some_and(|new| new <= own));
    let looser = if !own_addresses.is_empty() && (new.addresses.is_empty() || !new.addresses.iter().all(inside)) {
        Some("addresses")
    } else if !at_most(own.rate_per_minute, new.rate_per_minute) {
        Some("rate_per_minute")
    } else if !at_most(own.calls_per_day, new.calls_per_day) {
        Some("calls_per_day")
    } else if !at_most(own.budget_micros, new.budget.0)
        || own.currency.as_deref().is_some_and(|own| new.budget.1 != Some(own))
    {
        Some("budget_micros")
    } else if own.expires_at.zip(ends).is_some_and(|(own, ends)| ends > own) {
        Some("expires_at")
    } else {
        None
    };
    let problem = |field: &str| Problem::field(field, "must be no looser than that of the key that asks");
    looser.map_or(Ok(()), |field| Err(problem(field)))
}
