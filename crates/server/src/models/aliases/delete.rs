//! `DELETE /api/v1/models/aliases/{alias}`: takes a name away. `fast`, `cheap` and `best` mean again what they mean for everybody.

use domain::access::can;
use serde_json::json;
use store::audit::Event;
use store::org::aliases;

use super::name;
use crate::http::body::{IfMatch, Path, Query};
use crate::http::caller::Local;
use crate::http::error::{Problem, Result};
use crate::http::reply::Done;
use crate::models::list::Place;

pub(crate) async fn delete(
    local: Local<can::ProvidersWrite>,
    Path(alias): Path<String>,
    Query(place): Query<Place>,
    expected: IfMatch,
) -> Result<Done> {
    let caller = match place.project_id {
        Some(project) => local.project(project).await?.0,
        None => local.organisation().await?,
    };
    let alias = name(&alias).map_err(|_| Problem::not_found())?;
    let mut tx = caller.begin().await?;
    let before = aliases::find(&mut tx, place.project_id, &alias).await?.ok_or_else(Problem::not_found)?;
    expected.check(before.version)?;
    aliases::delete(&mut tx, before.id).await?;
    let event = Event::new("alias.deleted", &alias).before(&before).detail(json!({ "project": place.project_id }));
    tx.record(event).await?;
    let done = caller.commit(tx, Done).await?;
    caller.models().forget(caller.scope(), None);
    Ok(done)
}
