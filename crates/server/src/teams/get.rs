//! `GET /api/v1/teams/{id}`: shows a team.

use domain::TeamId;
use domain::access::can;

use super::TeamView;
use crate::http::body::Path;
use crate::http::caller::Local;
use crate::http::error::Result;
use crate::http::reply::{Found, Versioned};

pub(crate) async fn get(local: Local<can::TeamsRead>, Path(id): Path<TeamId>) -> Result<Versioned<Found<TeamView>>> {
    let (_, team) = local.team(id).await?;
    Ok(Versioned(team.version, Found(team.into())))
}
