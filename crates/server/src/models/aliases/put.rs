//! `PUT /api/v1/models/aliases/{alias}`: says whom a name means, in the organisation or in one of its projects.

use domain::access::can;
use domain::models::ProviderKind;
use domain::text::ModelName;
use domain::{ProjectId, ProviderId};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use store::Json;
use store::audit::Event;
use store::org::aliases::{self, Alias, AliasTarget};
use store::org::providers;

use super::{AliasView, name};
use crate::http::body::{Body, IfMatch, Path, Query};
use crate::http::caller::{Caller, Local};
use crate::http::error::{Problem, Result};
use crate::http::reply::{Found, Versioned};
use crate::models::ALIASES;
use crate::models::list::Place;
use crate::models::resolve::ITSELF;

/// The most that a name can mean.
const MOST: usize = 8;

/// Whom a name means.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PutAlias {
    /// 1 to 8, in order: the next one is asked when one cannot answer.
    targets: Vec<PutTarget>,
}

/// A model of a provider.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PutTarget {
    /// The provider's id, or `openai`, `anthropic` for the installation's, `embedded` for the program's own models.
    provider: String,
    /// The provider's name for the model.
    model: ModelName,
}

pub(crate) async fn put(
    local: Local<can::ProvidersWrite>,
    Path(alias): Path<String>,
    Query(place): Query<Place>,
    expected: IfMatch,
    Body(body): Body<PutAlias>,
) -> Result<Versioned<Found<AliasView>>> {
    let caller = match place.project_id {
        Some(project) => local.project(project).await?.0,
        None => local.organisation().await?,
    };
    let alias = name(&alias)?;
    if !(1..=MOST).contains(&body.targets.len()) {
        return Err(Problem::field("targets", format!("must be 1 to {MOST}")));
    }
    let targets = known(&caller, place.project_id, body.targets).await?;
    let now = caller.ambient().now();
    let mut tx = caller.begin().await?;
    let before = aliases::find(&mut tx, place.project_id, &alias).await?;
    // Who expects version 0 gives a name that is not given yet, and replaces none.
    expected.check(before.as_ref().map_or(0, |before| before.version))?;
    let after = match &before {
        None => {
            let there = aliases::list(&mut tx, None, ALIASES).await?.len();
            if i64::try_from(there).unwrap_or(i64::MAX) >= ALIASES {
                return Err(Problem::new("conflict", format!("There are {ALIASES} aliases, the most there may be.")));
            }
            let alias = Alias {
                id: caller.ambient().id(),
                project_id: place.project_id,
                name: alias.clone(),
                targets: Json(targets),
                made_by: caller.user(),
                version: 1,
                created_at: now,
                updated_at: now,
            };
            aliases::insert(&mut tx, &alias).await?;
            alias
        }
        Some(before) => {
            let changed = Alias { targets: Json(targets), made_by: caller.user(), ..before.clone() };
            aliases::update(&mut tx, &changed).await?;
            Alias { version: before.version + 1, updated_at: now, ..changed }
        }
    };
    let mut event = Event::new("alias.set", &alias).after(&after).detail(json!({ "project": place.project_id }));
    if let Some(before) = &before {
        event = event.before(before);
    }
    tx.record(event).await?;
    let reply = caller.commit(tx, Versioned(after.version, Found(after.into()))).await?;
    caller.models().forget(caller.scope(), None);
    Ok(reply)
}

/// The targets, each of a provider that everybody who can use the name can use: not of one that somebody brought for themselves.
async fn known(
    caller: &Caller<can::ProvidersWrite>,
    project: Option<ProjectId>,
    targets: Vec<PutTarget>,
) -> Result<Vec<AliasTarget>> {
    let mut tx = caller.read().await?;
    let mut known = Vec::with_capacity(targets.len());
    for (at, PutTarget { provider, model }) in targets.into_iter().enumerate() {
        let offered = |kind: ProviderKind| provider == kind.as_str() && caller.models().offers(kind);
        let there = match provider.parse::<ProviderId>() {
            Ok(id) => providers::find(&mut tx, id).await?.is_some_and(|found| {
                found.user_id.is_none() && (found.project_id.is_none() || found.project_id == project)
            }),
            Err(_) => provider == ITSELF || offered(ProviderKind::OpenAi) || offered(ProviderKind::Anthropic),
        };
        if !there {
            let place = format!("targets[{at}].provider");
            return Err(Problem::field(
                place,
                "is no provider that can be used there; GET /api/v1/providers lists them",
            ));
        }
        known.push(AliasTarget { provider, model });
    }
    Ok(known)
}
