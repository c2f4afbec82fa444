//! `PATCH /api/v1/teams/{id}`: renames or moves a team. Moving it moves what is held through it.

use domain::TeamId;
use domain::access::{Permission, can};
use domain::authoriser::{Grants, Object};
use domain::text::TeamName;
use schemars::JsonSchema;
use serde::Deserialize;
use store::audit::Event;
use store::org::teams;
use tenancy::roles;

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
        return Err(caller.deny(Permission::TeamsUpdate, &parent.to_string()).await);
    }
    if let Some(None) = body.parent_id
        && !caller.allows(Object::Organisation)
    {
        return Err(caller.deny(Permission::TeamsUpdate, "organisation").await);
    }
    let mut tx = caller.begin().await?;
    let mut team = teams::get(&mut tx, id).await?;
    expected.check(team.version)?;
    if let Some(Some(parent)) = body.parent_id.filter(|parent| *parent != team.parent_id)
        && let Err(beyond) = may_move(&mut tx, caller.scope().grants(), id, parent).await
    {
        drop(tx);
        return caller.told(Err(beyond), id).await;
    }
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
    let moved = team.parent_id != before.parent_id;
    let reply = caller.commit(tx, Versioned(team.version, Found(team.into()))).await?;
    if moved {
        caller.recount().await;
    }
    Ok(reply)
}

/// Refuses a move that gives more than the mover holds: whoever holds something at the team above holds it here too, the mover among
/// them, and whoever is in this team is in the one above.
async fn may_move(tx: &mut store::Tx, grants: &Grants, id: TeamId, parent: TeamId) -> tenancy::Result<()> {
    for object in [Object::Team(id), Object::Team(parent)] {
        if !grants.allow(Permission::TeamsMembers, object) {
            let what = Permission::TeamsMembers;
            return Err(tenancy::Error::Forbidden(format!(
                "Moving a team below another gives its people rights there; you lack {what}."
            )));
        }
    }
    roles::move_within(tx, grants, id, parent).await?;
    roles::team_within(tx, grants, parent).await
}
