//! `GET /api/v1/projects/{id}/members`: lists who was put into a project.

use domain::ProjectId;
use domain::access::can;
use store::org::members;

use super::ProjectMemberView;
use crate::http::body::{Path, Query};
use crate::http::caller::Local;
use crate::http::cursor::{self, Paging};
use crate::http::error::Result;
use crate::http::reply::{Found, Page};

pub(crate) async fn list(
    local: Local<can::ProjectsRead>,
    Path(id): Path<ProjectId>,
    Query(paging): Query<Paging>,
) -> Result<Found<Page<ProjectMemberView>>> {
    let (caller, _) = local.project(id).await?;
    let limit = cursor::limit(paging.limit)?;
    let bound = caller.list("project members", &id);
    let after = bound.read(paging.cursor.as_deref())?;
    let mut tx = caller.read().await?;
    let rows = members::list(&mut tx, id, after, limit + 1).await?;
    Ok(Found(bound.page(rows, limit, |member| member.user_id).map(ProjectMemberView::from)))
}
