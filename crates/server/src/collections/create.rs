//! `POST /api/v1/collections`: makes a collection of documents, for a project or for the organisation as a whole.

use domain::ProjectId;
use domain::access::can;
use domain::text::{CollectionName, Description};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use store::audit::Event;
use store::org::knowledge::collections::{self, Collection, Reach};

use super::CollectionView;
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
}

pub(crate) async fn create(
    local: Local<can::KnowledgeWrite>,
    Body(body): Body<CreateCollection>,
) -> Result<Versioned<Created<CollectionView>>> {
    let (caller, project_id) = choose(local, body.project_id).await?;
    let now = caller.ambient().now();
    let collection = Collection {
        id: caller.ambient().id(),
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
    };
    let mut tx = caller.begin().await?;
    collections::insert(&mut tx, &collection).await?;
    let collection = collections::get(&mut tx, collection.id).await?;
    let detail = json!({ "project": collection.project_id, "access": collection.access });
    tx.record(Event::new("collection.created", collection.id).after(&collection).detail(detail)).await?;
    caller.commit(tx, Versioned(collection.version, Created(collection.into()))).await
}
