//! Which keys are within a caller's reach.

use std::collections::BTreeMap;

use domain::access::{Permission, can};
use domain::authoriser::Object;
use domain::{ApiKeyId, ProjectId};
use store::control::api_keys::{self, ApiKey};
use store::org::projects;

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
