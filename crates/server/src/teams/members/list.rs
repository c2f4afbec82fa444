//! `GET /api/v1/teams/{id}/members`: lists who is in a team, without those who are only in teams below it.

use domain::TeamId;
use domain::access::can;
use store::org::members;

use super::TeamMemberView;
use crate::http::body::{Path, Query};
use crate::http::caller::Local;
use crate::http::cursor::{self, Paging};
use crate::http::error::Result;
use crate::http::reply::{Found, Page};

pub(crate) async fn list(
    local: Local<can::TeamsRead>,
    Path(id): Path<TeamId>,
    Query(paging): Query<Paging>,
) -> Result<Found<Page<TeamMemberView>>> {
    let (caller, _) = local.team(id).await?;
    let limit = cursor::limit(paging.limit)?;
    let bound = caller.list("team members", &id);
    let after = bound.read(paging.cursor.as_deref())?;
    let mut tx = caller.read().await?;
    let rows = members::list(&mut tx, id, after, limit + 1).await?;
    Ok(Found(bound.page(rows, limit, |member| member.user_id).map(TeamMemberView::from)))
}
