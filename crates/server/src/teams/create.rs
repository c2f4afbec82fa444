//! `POST /api/v1/teams`: makes a team, at the top or below another.

use domain::TeamId;
use domain::access::can;
use domain::plan::Meter;
use domain::text::TeamName;
use schemars::JsonSchema;
use serde::Deserialize;
use store::audit::Event;
use store::org::teams::{self, Team};
use tenancy::entitlements;

use super::TeamView;
use crate::http::body::Body;
use crate::http::caller::Local;
use crate::http::error::Result;
use crate::http::reply::{Created, Versioned};

/// A team to make.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateTeam {
    name: TeamName,
    /// The team above it; at the top when left out.
    #[serde(default)]
    parent_id: Option<TeamId>,
}

/// Who holds the permission at a team can make teams below it; at the top, it takes the organisation.
pub(crate) async fn create(
    local: Local<can::TeamsCreate>,
    Body(body): Body<CreateTeam>,
) -> Result<Versioned<Created<TeamView>>> {
    let caller = match body.parent_id {
        Some(parent) => local.team(parent).await?.0,
        None => local.organisation().await?,
    };
    let now = caller.ambient().now();
    let team = Team {
        id: caller.ambient().id(),
        parent_id: body.parent_id,
        name: body.name,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    let room = entitlements::room(caller.house(), caller.org(), Meter::Teams).await?;
    let mut tx = caller.begin().await?;
    room.require(teams::count(&mut tx).await?)?;
    teams::insert(&mut tx, &team).await?;
    tx.record(Event::new("team.created", team.id).after(&team)).await?;
    caller.commit(tx, Versioned(team.version, Created(team.into()))).await
}
