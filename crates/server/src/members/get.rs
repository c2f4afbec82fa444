//! `GET /api/v1/members/{user_id}`: shows a member, with the roles they hold in teams and projects that the caller can see, and
//! what they may do at the organisation.

use domain::access::{Permission, PermissionSet, can};
use domain::authoriser::Object;
use domain::role::Role;
use domain::{ProjectId, TeamId, UserId};
use schemars::JsonSchema;
use serde::Serialize;
use store::control::memberships;
use store::org::{members, projects};
use store::{Refusal, Stop};

use super::MemberView;
use crate::http::body::Path;
use crate::http::caller::Caller;
use crate::http::cursor::MOST;
use crate::http::error::Result;
use crate::http::reply::{Found, Versioned};

/// A member, with all that they hold.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "MemberInFull")]
pub(crate) struct View {
    #[serde(flatten)]
    member: MemberView,
    /// What they may do at the organisation now: nothing while they, or it, are suspended.
    permissions: PermissionSet,
    /// The teams they were put into, at most 200.
    teams: Vec<InTeam>,
    /// The projects they were put into, at most 200.
    projects: Vec<InProject>,
}

/// A role in a team.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct InTeam {
    team_id: TeamId,
    role: Role,
}

/// A role in a project.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct InProject {
    project_id: ProjectId,
    role: Role,
}

pub(crate) async fn get(caller: Caller<can::MembersRead>, Path(user): Path<UserId>) -> Result<Versioned<Found<View>>> {
    let mut tx = caller.store().read_control().await?;
    let member = memberships::get(&mut tx, caller.org(), user).await?;
    drop(tx);
    let permissions = match caller.store().grants_of(caller.scope(), user).await {
        Ok(grants) => grants.at(Object::Organisation),
        Err(Stop::Refused(Refusal::MembershipSuspended)) => PermissionSet::EMPTY,
        Err(stop) => return Err(stop.into()),
    };
    let grants = caller.scope().grants();
    let mut tx = caller.read().await?;
    let in_teams = members::of_person::<TeamId>(&mut tx, user, None, MOST.into()).await?;
    let sees = |team| grants.allow(Permission::TeamsRead, Object::Team(team));
    // What an earlier stay left behind gives nothing any more.
    let in_teams = in_teams.into_iter().filter(|one| one.membership_id == member.id && sees(one.place_id));
    let mut in_projects = Vec::new();
    for one in members::of_person::<ProjectId>(&mut tx, user, None, MOST.into()).await? {
        let project = projects::get(&mut tx, one.place_id).await?;
        let object = Object::Project { id: project.id, open: project.open };
        if one.membership_id == member.id && grants.allow(Permission::ProjectsRead, object) {
            in_projects.push(InProject { project_id: one.place_id, role: one.role });
        }
    }
    let (version, teams) =
        (member.version, in_teams.map(|one| InTeam { team_id: one.place_id, role: one.role }).collect());
    let member = MemberView::without_activity(member);
    Ok(Versioned(version, Found(View { member, permissions, teams, projects: in_projects })))
}
