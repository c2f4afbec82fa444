//! Documents: what people put into collections. Who sees a collection sees what is in it (`knowledge/sight.rs`).

mod archive;
mod arrive;
pub(crate) mod bring;
mod chunks;
mod content;
mod correction;
mod delete;
pub(crate) mod fullness;
mod get;
mod list;
mod original;
mod paste;
pub(crate) mod receive;
mod replace;
pub(crate) mod room;
pub(crate) mod unpack;
mod update;
mod upload;
mod versions;
mod web;

use domain::access::{Permission, can};
use domain::{CollectionId, DocumentId, Time, UserId};
use schemars::JsonSchema;
use serde::Serialize;
use store::org::knowledge::documents::{self, Document, Fault, Status};
use store::{Error, Scope, Tx};

use crate::http::caller::Caller;
use crate::http::error::Result;
use crate::knowledge::sight::{self, Seen};
use crate::routes::Routes;

pub(crate) fn routes(routes: Routes) -> Routes {
    routes
        .get("/api/v1/collections/{id}/documents", "Lists the documents of a collection.", list::list)
        .post("/api/v1/collections/{id}/documents", "Adds a file as a document.", upload::upload)
        .post("/api/v1/collections/{id}/documents/text", "Adds text as a document.", paste::paste)
        .post(
            "/api/v1/collections/{id}/documents/archive",
            "Adds the files of an archive as documents.",
            archive::archive,
        )
        .post(
            "/api/v1/threads/{id}/messages/{message_id}/correction",
            "Makes what would have been the right answer a document.",
            correction::approve,
        )
        .post("/api/v1/collections/{id}/documents/web", "Fetches a page of the web as a document.", web::fetch)
        .put("/api/v1/documents/{id}/content", "Gives a document a new version.", replace::replace)
        .get("/api/v1/documents/{id}/content", "Shows what was read from a document.", content::content)
        .get("/api/v1/documents/{id}", "Shows a document, and how far it is.", get::get)
        .patch("/api/v1/documents/{id}", "Changes a document's title or tags.", update::update)
        .delete("/api/v1/documents/{id}", "Deletes a document with everything made of it.", delete::delete)
        .get("/api/v1/documents/{id}/chunks", "Lists the passages of a document.", chunks::list)
        .get("/api/v1/documents/{id}/original", "Gives the file back as it came.", original::original)
        .get("/api/v1/documents/{id}/versions", "Lists the versions of a document.", versions::list)
}

/// How many tags a document can have.
const TAGS: usize = 50;

/// A document.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Document")]
pub(crate) struct DocumentView {
    id: DocumentId,
    collection_id: CollectionId,
    title: String,
    /// The name of its file.
    name: String,
    /// Where it came from: `upload`, `text`, `web`, `correction`.
    source: String,
    /// What kind of file it is; empty until it is read.
    kind: String,
    tags: Vec<String>,
    status: Status,
    /// Why it could not be read, and what to do.
    error: Option<Fault>,
    /// Bytes of the newest original.
    size: i64,
    /// How many passages are found by their words.
    passages: i64,
    /// How many of them are found by their meaning.
    embedded: i64,
    /// The newest version, from 1.
    version: i64,
    /// Who added it.
    created_by: UserId,
    created_at: Time,
    updated_at: Time,
}

impl From<Document> for DocumentView {
    fn from(document: Document) -> Self {
        Self {
            id: document.id,
            collection_id: document.collection_id,
            title: document.title,
            name: document.name,
            source: document.source,
            kind: document.kind,
            tags: document.tags.0,
            status: document.status,
            error: document.fault.map(|fault| fault.0),
            size: document.size,
            passages: document.passages,
            embedded: document.embedded,
            version: document.latest,
            created_by: document.made_by,
            created_at: document.created_at,
            updated_at: document.updated_at,
        }
    }
}

/// A document that the caller may read, and the collection it is in.
/// # Errors
/// [`Error::NotFound`] when there is none, and when the caller does not see it.
pub(crate) async fn find(tx: &mut Tx, scope: &Scope, id: DocumentId) -> store::Result<(Document, Seen)> {
    let document = documents::get(tx, id).await?;
    match sight::find(tx, scope, Permission::KnowledgeRead, document.collection_id).await {
        Ok(seen) => Ok((document, seen)),
        Err(Error::NotFound(_)) => Err(Error::NotFound("document")),
        Err(error) => Err(error),
    }
}

/// A document that the caller may change, in a transaction to do so.
async fn changeable(caller: &Caller<can::KnowledgeWrite>, id: DocumentId) -> Result<(Tx, Document)> {
    let mut tx = caller.begin().await?;
    let (document, seen) = find(&mut tx, caller.scope(), id).await?;
    if !seen.may_change_added(caller.scope(), document.made_by) {
        drop(tx);
        return Err(caller.deny(Permission::KnowledgeManage, &id.to_string()).await);
    }
    seen.place.require_changeable()?;
    Ok((tx, document))
}
