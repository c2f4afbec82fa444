//! `GET /api/v1/projects/{id}`: shows a project.

use domain::ProjectId;
use domain::access::can;

use super::ProjectView;
use crate::http::body::Path;
use crate::http::caller::Local;
use crate::http::error::Result;
use crate::http::reply::{Found, Versioned};

pub(crate) async fn get(
    local: Local<can::ProjectsRead>,
    Path(id): Path<ProjectId>,
) -> Result<Versioned<Found<ProjectView>>> {
    let (_, project) = local.project(id).await?;
    Ok(Versioned(project.version, Found(project.into())))
}
