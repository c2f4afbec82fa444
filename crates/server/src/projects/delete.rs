//! `DELETE /api/v1/projects/{id}?confirm=<name>`: deletes an archived project, and with it all keys made for it. For good, so the
//! name must be repeated.

use domain::ProjectId;
use domain::access::can;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::http::body::{IfMatch, Path, Query};
use crate::http::caller::Local;
use crate::http::error::{Problem, Result};
use crate::http::reply::Done;
use crate::knowledge::originals;

/// That it is meant.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Confirmation {
    /// The project's name.
    confirm: String,
}

pub(crate) async fn delete(
    local: Local<can::ProjectsDelete>,
    Path(id): Path<ProjectId>,
    expected: IfMatch,
    Query(query): Query<Confirmation>,
) -> Result<Done> {
    let (caller, project) = local.project(id).await?;
    expected.check(project.version)?;
    if query.confirm != project.name.as_str() {
        return Err(Problem::field("confirm", "must be the project's name, letter by letter"));
    }
    tenancy::projects::delete(caller.house(), caller.scope(), id).await?;
    originals::sweep(caller.store(), caller.scope()).await;
    originals::rinse(caller.store(), caller.scope()).await;
    Ok(Done)
}
