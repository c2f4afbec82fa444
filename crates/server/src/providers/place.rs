//! Which providers are within a caller's reach.

use std::collections::BTreeMap;

use domain::access::{Permission, Requires, can};
use domain::authoriser::Object;
use domain::{ProjectId, ProviderId};
use store::Tx;
use store::org::projects;
use store::org::providers::{self, Provider};

use crate::http::caller::Caller;
use crate::http::error::{Problem, Result};

/// What providers are for, as far as it was looked up.
#[derive(Default)]
pub(super) struct Places(BTreeMap<ProjectId, Object>);

impl Places {
    /// What a provider is for: its project or the organisation.
    pub(super) async fn of(&mut self, tx: &mut Tx, provider: &Provider) -> Result<Object> {
        let Some(id) = provider.project_id else { return Ok(Object::Organisation) };
        if let Some(known) = self.0.get(&id) {
            return Ok(*known);
        }
        let open = projects::find(tx, id).await?.is_some_and(|project| project.open);
        let place = Object::Project { id, open };
        self.0.insert(id, place);
        Ok(place)
    }
}

/// Whether the caller may see a provider: those of others only with what it takes to take them away.
pub(super) fn is_visible<P: Requires>(caller: &Caller<P>, provider: &Provider, place: Object) -> bool {
    let grants = caller.scope().grants();
    match provider.user_id {
        Some(user) if user != caller.user() => grants.allow(Permission::ProvidersWrite, place),
        _ => grants.allow(Permission::ProvidersRead, place),
    }
}

/// A provider that the caller may see.
pub(super) async fn seen<P: Requires>(caller: &Caller<P>, id: ProviderId) -> Result<(Provider, Object)> {
    let mut tx = caller.read().await?;
    let provider = providers::get(&mut tx, id).await?;
    let place = Places::default().of(&mut tx, &provider).await?;
    if is_visible(caller, &provider, place) { Ok((provider, place)) } else { Err(Problem::not_found()) }
}

/// A provider that the caller may change, and not only take away.
pub(super) async fn writable(caller: &mut Caller<can::ProvidersWrite>, id: ProviderId) -> Result<Provider> {
    let provider = removable(caller, id).await?;
    if provider.user_id.is_some_and(|user| user != caller.user()) {
        return Err(Problem::new("forbidden", "Somebody brought it for themselves; it can only be taken away."));
    }
    Ok(provider)
}

/// A provider that the caller may take away.
pub(super) async fn removable(caller: &mut Caller<can::ProvidersWrite>, id: ProviderId) -> Result<Provider> {
    let (provider, place) = seen(caller, id).await?;
    let needed = match provider.user_id {
        Some(user) if user == caller.user() => Permission::ProvidersOwn,
        _ => Permission::ProvidersWrite,
    };
    if !caller.scope().grants().allow(needed, place) {
        return Err(caller.deny(needed, &id.to_string()).await);
    }
    caller.answered()?;
    Ok(provider)
}
