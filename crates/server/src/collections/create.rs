//! `POST /api/v1/collections`: makes a collection of documents, for a project or for the organisation as a whole.

use domain::ProjectId;
use domain::access::can;
use domain::text::{CollectionName, Description};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use store::audit::Event;
use store::org::knowledge::collections::{self, Collection, Reach};

use super::retention::{self, Days};
use super::view::{self, CollectionView};
use crate::http::body::Body;
use crate::http::caller::Local;
use crate::http::error::Result;
use crate::http::reply::{Created, Versioned};
use crate::knowledge::place::choose;

/// A collection to make.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateCollection {
    name: CollectionName,
    #[serde(default)]
    description: Description,
    /// The project it belongs to. When left out, the one that the request selects; else it belongs to the organisation as a whole.
    #[serde(default)]
    project_id: Option<ProjectId>,
    /// Who sees it; `project` when left out.
    #[serde(default)]
    access: Option<Reach>,
    /// After how many days documents go that neither changed nor came again; they stay for ever when left out.
    #[serde(default)]
    retain_days: Option<Days>,
}

pub(crate) async fn create(
    local: Local<can::KnowledgeWrite>,
    Body(body): Body<CreateCollection>,
) -> Result<Versioned<Created<CollectionView>>> {
    let (caller, project_id) = choose(local, body.project_id).await?;
    let now = caller.ambient().now();
    let retain_days = body.retain_days.map(Days::checked).transpose()?;
    let id = caller.ambient().id();
    if retain_days.is_some() {
        retention::queue(&caller, id).await?;
    }
    let mut collection = Collection {
        id,
        // Given when it is added.
        number: 0,
        project_id,
        name: body.name,
        description: body.description,
        access: body.access.unwrap_or(Reach::Project),
        made_by: caller.user(),
        version: 1,
        created_at: now,
        updated_at: now,
        retain_days,
        due_at: None,
        within: None,
    };
    let mut tx = caller.begin().await?;
    if let Some(days) = retain_days {
        collection.due_at = Some(store::org::knowledge::retention::first_run(&mut tx, id, days).await?);
    }
    collections::insert(&mut tx, &collection).await?;
    let collection = collections::get(&mut tx, id).await?;
    let detail =
        json!({ "project": collection.project_id, "access": collection.access, "retain_days": collection.retain_days });
    tx.record(Event::new("collection.created", collection.id).after(&collection).detail(detail)).await?;
    let version = collection.version;
    let view = view::one(&mut tx, collection).await?;
    caller.commit(tx, Versioned(version, Created(view))).await
}
