//! `PATCH /api/v1/collections/{id}`: changes a collection, or who sees it.

use domain::CollectionId;
use domain::access::can;
use domain::text::{CollectionName, Description};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use store::audit::Event;
use store::org::knowledge::collections::{self, Reach};
use store::org::knowledge::retention::first_run;
use store::org::knowledge::shares::{self, Shared};

use super::changeable;
use super::retention::{self, Days};
use super::view::{self, CollectionView};
use crate::http::body::{Body, IfMatch, Path, present};
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
    /// After how many days documents go that neither changed nor came again; null for never. The first go a day after it is set, at the
    /// earliest.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<Days>")]
    retain_days: Option<Option<Days>>,
}

pub(crate) async fn update(
    local: Local<can::KnowledgeWrite>,
    Path(id): Path<CollectionId>,
    expected: IfMatch,
    Body(body): Body<UpdateCollection>,
) -> Result<Versioned<Found<CollectionView>>> {
    let caller = local.each();
    let retain_days = body.retain_days.map(|days| days.map(Days::checked).transpose()).transpose()?;
    let (mut tx, mut before) = changeable(&caller, id).await?;
    expected.check(before.version)?;
    if retain_days.is_some_and(|days| days.is_some() && days != before.retain_days) {
        // Queued before the rule is committed: no rule is ever there that nobody follows.
        drop(tx);
        retention::queue(&caller, id).await?;
        (tx, before) = changeable(&caller, id).await?;
        expected.check(before.version)?;
    }
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
        ended = shares::end_all(&mut tx, Shared::Collection(id)).await?;
    }
    if let Some(days) = retain_days.filter(|days| *days != before.retain_days) {
        collection.retain_days = days;
        collection.due_at = match days {
            Some(days) => Some(first_run(&mut tx, id, days).await?),
            None => None,
        };
    }
    collections::update(&mut tx, &collection).await?;
    let collection = collections::get(&mut tx, id).await?;
    let detail = json!({ "access": collection.access, "shares_ended": ended, "retain_days": collection.retain_days });
    tx.record(Event::new("collection.updated", id).before(&before).after(&collection).detail(detail)).await?;
    let version = collection.version;
    let view = view::one(&mut tx, collection).await?;
    caller.commit(tx, Versioned(version, Found(view))).await
}
