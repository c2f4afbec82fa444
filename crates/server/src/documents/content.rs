//! `GET /api/v1/documents/{id}/content`: what was read from a document, with its headings, pages and tables; a citation's offsets count
//! bytes of its text.

use domain::DocumentId;
use domain::access::{Permission, can};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::org::knowledge::{documents, versions};

use crate::http::body::{Path, Query};
use crate::http::caller::Local;
use crate::http::error::{Problem, Result};
use crate::http::reply::Found;
use crate::knowledge::sight;

/// Which version.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OfVersion {
    /// The version; the one that is searched when left out.
    version: Option<i64>,
}

/// What was read from a document.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "DocumentContent")]
pub(crate) struct ContentView {
    document_id: DocumentId,
    version: i64,
    title: String,
    text: String,
    /// The parts of the text in order: headings, paragraphs, items, code, rows of tables, each with its bytes in the text.
    blocks: serde_json::Value,
    /// The names of the columns of tables.
    tables: serde_json::Value,
    /// At which byte of the text each page begins.
    pages: serde_json::Value,
    /// What to know about the reading.
    notes: serde_json::Value,
}

pub(crate) async fn content(
    gate: Local<can::KnowledgeRead>,
    Path(id): Path<DocumentId>,
    Query(query): Query<OfVersion>,
) -> Result<Found<ContentView>> {
    let caller = gate.each();
    let mut tx = caller.read().await?;
    let document = documents::get(&mut tx, id).await?;
    sight::find(&mut tx, caller.scope(), Permission::KnowledgeRead, document.collection_id).await?;
    let version = query.version.unwrap_or(document.shown);
    let content = versions::content(&mut tx, id, version).await?.ok_or_else(Problem::not_found)?;
    let mut content: serde_json::Value =
        serde_json::from_slice(&content).map_err(|error| Problem::internal(error.to_string()))?;
    let mut part = |name: &str| content.get_mut(name).map(serde_json::Value::take).unwrap_or_default();
    Ok(Found(ContentView {
        document_id: id,
        version,
        title: document.title,
        text: part("text").as_str().unwrap_or_default().to_owned(),
        blocks: part("blocks"),
        tables: part("tables"),
        pages: part("pages"),
        notes: part("notes"),
    }))
}
