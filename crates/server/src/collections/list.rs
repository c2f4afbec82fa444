//! `GET /api/v1/collections`: lists the collections that the caller can see. The others leave no trace in it.

use domain::access::{Permission, can};
use domain::{CollectionId, ProjectId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::org::knowledge::collections::{Collection, Reach};

use super::view::{self, CollectionView};
use crate::http::body::Query;
use crate::http::caller::Local;
use crate::http::cursor;
use crate::http::error::Result;
use crate::http::reply::{Found, Page};
use crate::knowledge::sight;

/// Which collections, and which page of them.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListCollections {
    /// Only those of this project.
    project_id: Option<ProjectId>,
    /// Only those that are seen so.
    access: Option<Reach>,
    /// At most so many; 50 when left out, 200 at the most.
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

#[derive(Serialize)]
struct Wanted {
    project_id: Option<ProjectId>,
    access: Option<Reach>,
}

impl Wanted {
    fn fits(&self, collection: &Collection) -> bool {
        (self.project_id.is_none() || self.project_id == collection.project_id)
            && self.access.is_none_or(|access| access == collection.access)
    }
}

pub(crate) async fn list(
    local: Local<can::KnowledgeRead>,
    Query(query): Query<ListCollections>,
) -> Result<Found<Page<CollectionView>>> {
    let caller = local.each();
    if !caller.scope().grants().allow_anywhere(Permission::KnowledgeRead) {
        return Err(caller.deny(Permission::KnowledgeRead, "organisation").await);
    }
    let limit = cursor::limit(query.limit)?;
    let wanted = Wanted { project_id: query.project_id, access: query.access };
    let bound = caller.list("collections", &wanted);
    let after: Option<CollectionId> = bound.read(query.cursor.as_deref())?;
    let mut tx = caller.read().await?;
    let mut rows = sight::seen(&mut tx, caller.scope(), Permission::KnowledgeRead).await?;
    rows.retain(|collection| after.is_none_or(|after| collection.id > after) && wanted.fits(collection));
    let page = bound.page(rows, limit, |collection| collection.id);
    let data = view::shown(&mut tx, page.data).await?;
    Ok(Found(Page { data, next_cursor: page.next_cursor }))
}
