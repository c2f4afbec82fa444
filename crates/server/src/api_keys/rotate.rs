//! `POST /api/v1/auth/api-keys/{id}/rotate`: puts a new key in the place of one. Both work until the grace period ends.

use std::time::Duration;

use domain::ApiKeyId;
use domain::access::{PermissionSet, can};
use schemars::JsonSchema;
use serde::Deserialize;
use store::Actor;
use tenancy::{keys, roles};

use super::NewApiKey;
use super::place::{Limited, calling_key, reach, refuse_anew, refuse_looser};
use crate::http::body::{OptionalBody, Path};
use crate::http::caller::Local;
use crate::http::error::{Problem, Result};
use crate::http::reply::{Created, Versioned};

/// How long both keys work when nothing is said, in seconds.
const USUAL_GRACE: u32 = 60 * 60;
/// How long both keys work at the most, in seconds (security facts, section 6).
const LONGEST_GRACE: u32 = 24 * 60 * 60;

/// How to rotate.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RotateApiKey {
    /// For how many seconds the old key goes on working: an hour when left out, a day at the most.
    #[serde(default)]
    grace_seconds: Option<u32>,
}

/// Only the maker rotates a key: whoever sees the new one can act for them.
pub(crate) async fn rotate(
    local: Local<can::KeysCreate>,
    Path(id): Path<ApiKeyId>,
    OptionalBody(body): OptionalBody<RotateApiKey>,
) -> Result<Versioned<Created<NewApiKey>>> {
    let mut caller = local.each();
    let (key, place) = reach(&caller, id).await?;
    if key.user_id != caller.user() || !caller.allows(place) {
        return Err(Problem::new("forbidden", "Only its maker can rotate a key; you can revoke it."));
    }
    caller.answered()?;
    caller.require_factor()?;
    if caller.principal().session().is_none() {
        let Actor::Key { key: own, .. } = *caller.scope().actor() else { return Err(Problem::not_found()) };
        // The new key does not end with the one that asked for it, so none may get at keys of other makers.
        if own != id && key.made_by_key != Some(own) {
            return Err(Problem::new("forbidden", "A key rotates itself and the keys that it made, no others."));
        }
        // A person's scopes are cut down to their rights at each use; a key must not come by more than its own in this way.
        let scopes: PermissionSet = key.scopes.0.iter().filter_map(|name| name.parse().ok()).collect();
        caller.told(roles::within(caller.scope().grants().at(place), scopes), id).await?;
        let own = calling_key(&caller).await?;
        refuse_anew(&caller, own.as_ref()).await?;
        refuse_looser(own.as_ref(), &Limited::from(&key), None)?;
    }
    let grace = body.grace_seconds.unwrap_or(USUAL_GRACE);
    if grace > LONGEST_GRACE {
        return Err(Problem::field("grace_seconds", format!("must be 0 to {LONGEST_GRACE}")));
    }
    let mode = key.mode.parse().map_err(|_| Problem::internal("a stored key of an unknown mode"))?;
    let fresh = keys::rotate(caller.house(), caller.scope(), id, mode, Duration::from_secs(grace.into())).await?;
    let reply = Versioned(fresh.key.version, Created(NewApiKey::of(&fresh)));
    let reply = caller.commit_control(fresh.tx, reply).await?;
    // Nobody has the new key before what stands on the old one stands on it, too.
    caller.store().deliver(caller.org()).await?;
    caller.app().rules.forget(caller.scope());
    Ok(reply)
}
