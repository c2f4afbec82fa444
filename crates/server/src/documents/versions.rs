//! `GET /api/v1/documents/{id}/versions`: lists the versions of a document, the newest first.

use domain::access::can;
use domain::{DocumentId, Time, UserId};
use schemars::JsonSchema;
use serde::Serialize;
use store::org::knowledge::versions::{self, Version};

use super::find;
use crate::http::body::{Path, Query};
use crate::http::caller::Local;
use crate::http::cursor::{self, Paging};
use crate::http::error::Result;
use crate::http::reply::{Found, Page};

/// A version of a document.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "DocumentVersion")]
pub(crate) struct VersionView {
    /// Which, from 1.
    number: i64,
    /// The name of the file.
    name: String,
    /// The SHA-256 of the original, in hexadecimal.
    sha256: String,
    /// Bytes of the original.
    size: i64,
    /// Whether its passages are found now.
    shown: bool,
    /// Who brought it.
    created_by: UserId,
    created_at: Time,
}

impl VersionView {
    fn of(version: Version, shown: i64) -> Self {
        Self {
            number: version.number,
            name: version.name,
            sha256: version.content_hash,
            size: version.size,
            shown: version.number == shown,
            created_by: version.made_by,
            created_at: version.created_at,
        }
    }
}

pub(crate) async fn list(
    local: Local<can::KnowledgeRead>,
    Path(id): Path<DocumentId>,
    Query(paging): Query<Paging>,
) -> Result<Found<Page<VersionView>>> {
    let caller = local.each();
    let limit = cursor::limit(paging.limit)?;
    let bound = caller.list("document versions", &id);
    let mut tx = caller.read().await?;
    let (document, _) = find(&mut tx, caller.scope(), id).await?;
    let before = bound.read(paging.cursor.as_deref())?;
    let rows = versions::list(&mut tx, id, before, limit + 1).await?;
    let page = bound.page(rows, limit, |version| version.number);
    Ok(Found(page.map(|version| VersionView::of(version, document.shown))))
}
