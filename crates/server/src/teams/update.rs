//! `PATCH /api/v1/teams/{id}`: renames or moves a team. Moving it moves what is held through it.

use domain::TeamId;
use domain::access::can;
use domain::authoriser::Object;
use domain::text::TeamName;
use schemars::JsonSchema;
use serde::Deserialize;
use store::audit::Event;
use store::org::teams;

use super::TeamView;
use crate::http::body::{Body, IfMatch, Path, present};
use crate::http::caller::Local;
use crate::http::error::Result;
use crate::http::reply::{Found, Versioned};

/// What to change; what is left out stays.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateTeam {
    #[serde(default)]
    name: Option<TeamName>,
    /// The team above it; `null` moves it to the top.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<TeamId>")]
    parent_id: Option<Option<TeamId>>,
}

pub(crate) async fn update(
    local: Local<can::TeamsUpdate>,
    Path(id): Path<TeamId>,
    expected: IfMatch,
    Body(body): Body<UpdateTeam>,
) -> Result<Versioned<Found<TeamView>>> {
    let (caller, _) = local.team(id).await?;
    if let Some(Some(parent)) = body.parent_id
        && !caller.allows(Object::Team(parent))
    {
        return Err(caller.deny(domain::access::Permission::TeamsUpdate, &parent.to_string()).await);
    }
    if let Some(None) = body.parent_id
        && !caller.allows(Object::Organisation)
    {
        return Err(caller.deny(domain::access::Permission::TeamsUpdate, "organisation").await);
    }
    let mut tx = caller.begin().await?;
    let mut team = teams::get(&mut tx, id).await?;
    expected.check(team.version)?;
    let before = team.clone();
    if let Some(name) = body.name {
        team.name = name;
    }
    if let Some(parent) = body.parent_id {
        team.parent_id = parent;
    }
    teams::update(&mut tx, &team).await?;
    let team = teams::get(&mut tx, id).await?;
    tx.record(Event::new("team.updated", id).before(&before).after(&team)).await?;
    caller.commit(tx, Versioned(team.version, Found(team.into()))).await
}
