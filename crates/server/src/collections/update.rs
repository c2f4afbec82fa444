//! `PATCH /api/v1/collections/{id}`: changes a collection, or who sees it.

use domain::CollectionId;
use domain::access::can;
use domain::text::{CollectionName, Description};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use store::audit::Event;
use store::org::knowledge::collections::{self, Reach};

use super::{CollectionView, changeable};
use crate::http::body::{Body, IfMatch, Path};
use crate::http::caller::Local;
use crate::http::error::{Problem, Result};
use crate::http::reply::{Found, Versioned};

/// What to change; what is left out stays.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateCollection {
    #[serde(default)]
    name: Option<CollectionName>,
    #[serde(default)]
    description: Option<Description>,
    /// Who sees it. All shares end when it is not `shared` any more. What is for the whole project only its maker can close.
    #[serde(default)]
    access: Option<Reach>,
}

pub(crate) async fn update(
    local: Local<can::KnowledgeWrite>,
    Path(id): Path<CollectionId>,
    expected: IfMatch,
    Body(body): Body<UpdateCollection>,
) -> Result<Versioned<Found<CollectionView>>> {
    let caller = local.each();
    let (mut tx, before) = changeable(&caller, id).await?;
    expected.check(before.version)?;
    let mut collection = before.clone();
    if let Some(name) = body.name {
        collection.name = name;
    }
    if let Some(description) = body.description {
        collection.description = description;
    }
    let mut ended = 0;
    if let Some(access) = body.access.filter(|access| *access != before.access) {
        // Whoever manages what others made would put it out of their own sight, and out of that of all who manage with them.
        if access != Reach::Project && before.made_by != caller.user() {
            return Err(Problem::new("conflict", "Only who made the collection can close it; you can delete it."));
        }
        collection.access = access;
        // A share that rested would let people in again whenever somebody shares it with others later.
        ended = collections::unshare_all(&mut tx, id).await?;
    }
    collections::update(&mut tx, &collection).await?;
    let collection = collections::get(&mut tx, id).await?;
    let detail = json!({ "access": collection.access, "shares_ended": ended });
    tx.record(Event::new("collection.updated", id).before(&before).after(&collection).detail(detail)).await?;
    caller.commit(tx, Versioned(collection.version, Found(collection.into()))).await
}
