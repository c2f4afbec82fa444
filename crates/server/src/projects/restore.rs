//! `DELETE /api/v1/projects/{id}/archive`: restores an archived project. Repeating it changes nothing.

use domain::ProjectId;
use domain::access::can;

use super::ProjectView;
use super::archive::set;
use crate::http::body::{IfMatch, Path};
use crate::http::caller::Local;
use crate::http::error::Result;
use crate::http::reply::{Found, Versioned};

pub(crate) async fn restore(
    local: Local<can::ProjectsUpdate>,
    Path(id): Path<ProjectId>,
    expected: IfMatch,
) -> Result<Versioned<Found<ProjectView>>> {
    let (caller, _) = local.project(id).await?;
    set(&caller, id, expected, None, "project.restored").await
}
