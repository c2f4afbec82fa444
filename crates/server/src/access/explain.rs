//! `GET /api/v1/access/explain`: the authoriser's decision about somebody, in words.

use domain::access::{Permission, can};
use domain::authoriser::{Decision, Object};
use domain::status::Standing;
use domain::{ProjectId, RoleId, TeamId, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::control::{memberships, people};
use store::org::{projects, roles, teams};
use store::{Scope, Tx};

use crate::http::body::Query;
use crate::http::caller::{Caller, Local};
use crate::http::error::{Problem, Result};
use crate::http::reply::Found;

/// Who, what, and on what.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Explain {
    permission: Permission,
    /// About whom; the caller when left out. To ask about others takes `access.explain`.
    user_id: Option<UserId>,
    /// At which team; at the organisation when neither is given.
    team_id: Option<TeamId>,
    /// At which project.
    project_id: Option<ProjectId>,
}

/// The decision.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Explanation {
    user_id: UserId,
    permission: Permission,
    allowed: bool,
    /// Why, in sentences, the deciding one last.
    because: Vec<String>,
}

pub(crate) async fn explain(
    local: Local<can::AccessExplain>,
    Query(query): Query<Explain>,
) -> Result<Found<Explanation>> {
    let caller = local.each();
    let user = query.user_id.unwrap_or(caller.user());
    if user != caller.user() && !caller.allows(Object::Organisation) {
        return Err(caller.deny(Permission::AccessExplain, &user.to_string()).await);
    }
    let object = object(&caller, query.team_id, query.project_id).await?;
    let Decision { allowed, because } = decide(&caller, user, query.permission, object).await?;
    let mut tx = caller.read().await?;
    let mut readable = Vec::with_capacity(because.len());
    for sentence in because {
        readable.push(with_names(&mut tx, caller.scope(), &sentence).await?);
    }
    Ok(Found(Explanation { user_id: user, permission: query.permission, allowed, because: readable }))
}

/// What is asked about; as unknown as everywhere when the caller cannot see it.
async fn object(
    caller: &Caller<can::AccessExplain>,
    team: Option<TeamId>,
    project: Option<ProjectId>,
) -> Result<Object> {
    let grants = caller.scope().grants();
    let mut tx = caller.read().await?;
    match (team, project) {
        (None, None) => Ok(Object::Organisation),
        (Some(_), Some(_)) => Err(Problem::field("project_id", "must not be given together with team_id")),
        (Some(id), None) => {
            teams::get(&mut tx, id).await?;
            let object = Object::Team(id);
            if grants.allow(Permission::TeamsRead, object) { Ok(object) } else { Err(Problem::not_found()) }
        }
        (None, Some(id)) => {
            let object = Object::Project { id, open: projects::get(&mut tx, id).await?.open };
            if grants.allow(Permission::ProjectsRead, object) { Ok(object) } else { Err(Problem::not_found()) }
        }
    }
}

async fn decide(
    caller: &Caller<can::AccessExplain>,
    user: UserId,
    permission: Permission,
    object: Object,
) -> Result<Decision> {
    if user == caller.user() {
        // With the limits of the credential: a key is told what its scopes lack.
        return Ok(caller.scope().grants().decide(permission, object));
    }
    let mut tx = caller.store().read_control().await?;
    let member = memberships::get(&mut tx, caller.org(), user).await?;
    let person = people::get(&mut tx, user).await?;
    drop(tx);
    let out = |because: &str| Decision { allowed: false, because: vec![because.to_owned()] };
    if person.standing != Standing::Active {
        return Ok(out("Their account is suspended by the operator."));
    }
    if member.standing != Standing::Active {
        return Ok(out("Their membership in this organisation is suspended."));
    }
    Ok(caller.store().grants_of(caller.scope(), user).await?.decide(permission, object))
}

/// Puts names in the place of ids, as far as the caller can see what they name.
async fn with_names(tx: &mut Tx, scope: &Scope, sentence: &str) -> Result<String> {
    let grants = scope.grants();
    let mut words = Vec::new();
    for word in sentence.split(' ') {
        let id = word.trim_end_matches([',', '.']);
        let name = if let Ok(role) = id.parse::<RoleId>() {
            roles::find(tx, role).await?.map(|role| role.name.to_string())
        } else if let Ok(team) = id.parse::<TeamId>()
            && grants.allow(Permission::TeamsRead, Object::Team(team))
        {
            teams::find(tx, team).await?.map(|team| team.name.to_string())
        } else if let Ok(project) = id.parse::<ProjectId>() {
            let project = projects::find(tx, project).await?.filter(|project| {
                grants.allow(Permission::ProjectsRead, Object::Project { id: project.id, open: project.open })
            });
            project.map(|project| project.name.to_string())
        } else {
            None
        };
        words.push(name.map_or_else(|| word.to_owned(), |name| word.replace(id, &format!("\"{name}\""))));
    }
    Ok(words.join(" "))
}
