//! `GET /api/v1/models/aliases/{alias}`: whom a name means, in the organisation or in one of its projects.

use domain::access::can;
use store::org::aliases;

use super::{AliasView, name};
use crate::http::body::{Path, Query};
use crate::http::caller::Local;
use crate::http::error::{Problem, Result};
use crate::http::reply::{Found, Versioned};
use crate::models::list::Place;
use crate::models::usual;

pub(crate) async fn get(
    local: Local<can::ProvidersRead>,
    Path(alias): Path<String>,
    Query(place): Query<Place>,
) -> Result<Versioned<Found<AliasView>>> {
    let caller = match place.project_id {
        Some(project) => local.project(project).await?.0,
        None => local.organisation().await?,
    };
    let alias = name(&alias).map_err(|_| Problem::not_found())?;
    let mut tx = caller.read().await?;
    let found = aliases::find(&mut tx, place.project_id, &alias).await?;
    drop(tx);
    if let Some(found) = found {
        return Ok(Versioned(found.version, Found(found.into())));
    }
    if place.project_id.is_some() || !usual::NAMES.contains(&alias.as_str()) {
        return Err(Problem::not_found());
    }
    let usable = caller.models().usable(caller.scope(), None).await?;
    let targets = usable.into_iter().find(|model| model.id == alias.as_str()).and_then(|model| model.targets);
    let view = AliasView {
        alias,
        project_id: None,
        targets: targets.unwrap_or_default(),
        made_by: None,
        created_at: None,
        updated_at: None,
    };
    Ok(Versioned(0, Found(view)))
}
