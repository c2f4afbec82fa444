//! Deleting projects: what lives in the organisation's store and what lives in the control database, in an order that survives a
//! crash in between.

use domain::ProjectId;
use serde_json::json;
use store::audit::Event;
use store::control::api_keys;
use store::org::projects;
use store::{Scope, Turn};

use crate::{Error, House, Result};

/// Deletes an archived project. Its keys end first: a crash before the second step leaves a project without keys, and the deletion
/// can be repeated.
/// # Errors
/// [`Error::Conflict`] when it is not archived; [`store::Error::NotFound`] when there is no such project.
pub async fn delete(house: &House, scope: &Scope, id: ProjectId) -> Result<()> {
    let store = house.store.open(scope);
    let mut tx = store.read().await?;
    archived(&projects::get(&mut tx, id).await?)?;
    drop(tx);
    let mut tx = house.store.begin_control(Turn::Org(scope.org())).await?;
    let now = house.store.ambient().now();
    let keys = api_keys::revoke_project(&mut tx, scope.org(), id, now).await?;
    for key in &keys {
        let event = Event::new("api_key.revoked", key).detail(json!({ "with": id }));
        tx.record(scope.org(), scope.actor(), scope.origin(), event).await?;
    }
    if keys.is_empty() {
        drop(tx);
    } else {
        tx.commit().await?;
    }
    let mut tx = store.begin().await?;
    let project = projects::get(&mut tx, id).await?;
    archived(&project)?;
    projects::delete(&mut tx, id).await?;
    tx.record(Event::new("project.deleted", id).before(&project)).await?;
    tx.commit().await?;
    Ok(())
}

fn archived(project: &projects::Project) -> Result<()> {
    if project.archived_at.is_some() {
        return Ok(());
    }
    Err(Error::Conflict("Only archived projects can be deleted: archive it first.".into()))
}
