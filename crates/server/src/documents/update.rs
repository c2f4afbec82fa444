//! `PATCH /api/v1/documents/{id}`: changes a document's title or tags.

use std::collections::BTreeSet;

use domain::DocumentId;
use domain::access::can;
use domain::text::{DocumentTitle, Tag};
use schemars::JsonSchema;
use serde::Deserialize;
use store::Json;
use store::audit::Event;
use store::org::knowledge::documents;

use super::{DocumentView, changeable};
use crate::http::body::{Body, IfMatch, Path};
use crate::http::caller::Local;
use crate::http::error::{Problem, Result};
use crate::http::reply::{Found, Versioned};

/// What to change; what is left out stays.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateDocument {
    #[serde(default)]
    title: Option<DocumentTitle>,
    /// In the place of all that there are; each once.
    #[serde(default)]
    tags: Option<Vec<Tag>>,
}

pub(crate) async fn update(
    local: Local<can::KnowledgeWrite>,
    Path(id): Path<DocumentId>,
    expected: IfMatch,
    Body(body): Body<UpdateDocument>,
) -> Result<Versioned<Found<DocumentView>>> {
    let caller = local.each();
    let (mut tx, before) = changeable(&caller, id).await?;
    expected.check(before.version)?;
    let mut document = before.clone();
    if let Some(title) = body.title {
        title.as_str().clone_into(&mut document.title);
        document.titled = true;
    }
    if let Some(tags) = body.tags {
        let tags: BTreeSet<String> = tags.iter().map(|tag| tag.as_str().to_owned()).collect();
        if tags.len() > super::TAGS {
            return Err(Problem::field("tags", format!("must be at most {}", super::TAGS)));
        }
        document.tags = Json(tags.into_iter().collect());
    }
    documents::update(&mut tx, &document).await?;
    let document = documents::get(&mut tx, id).await?;
    tx.record(Event::new("document.updated", id).before(&before).after(&document)).await?;
    caller.commit(tx, Versioned(document.version, Found(document.into()))).await
}
