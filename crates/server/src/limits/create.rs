//! `POST /api/v1/limits`: sets a rate limit where there was none.

use domain::access::{Permission, can};
use domain::authoriser::Object;
use domain::id::Uuid;
use domain::limits::Level;
use domain::operation::Operation;
use domain::{ApiKeyId, Id, ProjectId, UserId};
use schemars::JsonSchema;
use serde::Deserialize;
use store::audit::Event;
use store::control::{api_keys, memberships};
use store::org::budgets::Subject;
use store::org::projects;
use store::org::rate_limits::{self, RateLimit};

use super::{LimitView, check};
use crate::http::body::Body;
use crate::http::caller::Caller;
use crate::http::error::{Problem, Result};
use crate::http::reply::{Created, Versioned};

/// A rate limit to set.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateLimit {
    /// `organization`, `project`, `user` or `key`.
    level: Level,
    /// The project, person or key. When left out, each of them has the limit for itself; what is said of one stands in place of it.
    #[serde(default)]
    id: Option<String>,
    /// What it counts; all that costs something when left out.
    #[serde(default)]
    operation: Option<Operation>,
    #[serde(default)]
    requests_per_minute: Option<i64>,
    /// Tokens read and written by models. A call takes as many as it may need, and what it did not use comes back.
    #[serde(default)]
    tokens_per_minute: Option<i64>,
    /// How many at the same time.
    #[serde(default)]
    concurrency: Option<i64>,
}

pub(crate) async fn create(
    caller: Caller<can::LimitsWrite>,
    Body(body): Body<CreateLimit>,
) -> Result<Versioned<Created<LimitView>>> {
    let subject = subject(&caller, body.level, body.id.as_deref()).await?.map(Subject);
    let now = caller.ambient().now();
    let limit = RateLimit {
        id: caller.ambient().id(),
        level: body.level,
        subject,
        operation: body.operation,
        requests_per_minute: body.requests_per_minute,
        tokens_per_minute: body.tokens_per_minute,
        concurrency: body.concurrency,
        made_by: caller.user(),
        version: 1,
        created_at: now,
        updated_at: now,
    };
    check(&limit)?;
    let mut tx = caller.begin().await?;
    rate_limits::insert(&mut tx, &limit).await?;
    tx.record(Event::new("limit.created", limit.id).after(&limit)).await?;
    let reply = caller.commit(tx, Versioned(limit.version, Created(limit.into()))).await?;
    caller.app().rules.forget(caller.scope());
    Ok(reply)
}

/// What the limit is of. What does not exist, what is another's and what the caller cannot see are one and the same.
async fn subject(caller: &Caller<can::LimitsWrite>, level: Level, id: Option<&str>) -> Result<Option<Uuid>> {
    let parse_failed = |_| Problem::not_found();
    match (level, id) {
        (Level::Organization, Some(_)) => {
            Err(Problem::field("id", "must be left out: the organisation is the caller's"))
        }
        (Level::Organization | Level::Project | Level::User | Level::Key, None) => Ok(None),
        (Level::Project, Some(id)) => {
            let id: ProjectId = id.parse().map_err(parse_failed)?;
            let project = projects::get(&mut caller.read().await?, id).await?;
            let object = Object::Project { id, open: project.open };
            if !caller.scope().grants().allow(Permission::ProjectsRead, object) {
                return Err(Problem::not_found());
            }
            Ok(Some(id.uuid()))
        }
        (Level::User, Some(id)) => {
            let id: UserId = id.parse().map_err(parse_failed)?;
            let mut tx = caller.store().read_control().await?;
            let member = memberships::find(&mut tx, caller.org(), id).await?;
            member.map(|_| Some(id.uuid())).ok_or_else(Problem::not_found)
        }
        (Level::Key, Some(id)) => {
            let id: ApiKeyId = id.parse().map_err(parse_failed)?;
            let mut tx = caller.store().read_control().await?;
            api_keys::get(&mut tx, caller.org(), id).await?;
            Ok(Some(id.uuid()))
        }
        (Level::Team | Level::Agent | Level::Run, _) => {
            Err(Problem::field("level", "must be organization, project, user or key"))
        }
    }
}
