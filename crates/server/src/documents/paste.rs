//! `POST /api/v1/collections/{id}/documents/text`: takes text that somebody wrote or copied, as a document of its own.

use domain::CollectionId;
use domain::access::{Permission, can};
use domain::text::{DocumentTitle, Tag};
use schemars::JsonSchema;
use serde::Deserialize;

use super::TAGS;
use super::arrive::{Uploaded, arrive};
use super::receive::{Desk, Received, sorted};
use crate::http::body::{Body, Path};
use crate::http::caller::{Local, Metered, meters};
use crate::http::error::{Problem, Result};
use crate::http::reply::Accepted;
use crate::knowledge::sight;

/// Text, with what to call it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PasteText {
    title: DocumentTitle,
    /// Plain text. What is longer than a body may be is sent as a file.
    text: String,
    /// Each once.
    #[serde(default)]
    tags: Vec<Tag>,
}

pub(crate) async fn paste(
    gate: Metered<Local<can::KnowledgeWrite>, meters::Documents>,
    Path(id): Path<CollectionId>,
    Body(body): Body<PasteText>,
) -> Result<Accepted<Uploaded>> {
    let (gate, _pass) = gate.through();
    let mut caller = gate.each();
    let mut tx = caller.read().await?;
    let seen = sight::find(&mut tx, caller.scope(), Permission::KnowledgeWrite, id).await?;
    drop(tx);
    caller.answered()?;
    seen.require_open()?;
    let PasteText { title, text, tags } = body;
    if text.trim().is_empty() {
        return Err(Problem::field("text", "must not be empty"));
    }
    let tags = said(&tags)?;
    let desk = Desk::open(&caller, 1).await?;
    let title = title.as_str().to_owned();
    let name = format!("{}.txt", title.replace(['/', '\\'], "-"));
    let written = desk.bytes(text).await?;
    arrive(&caller, id, Received { written, name, title: Some(title), tags: Some(tags) }, "text", &desk).await
}

/// The tags of a body, each once.
pub(super) fn said(tags: &[Tag]) -> Result<Vec<String>> {
    let tags = sorted(tags.iter().map(|tag| tag.as_str().to_lowercase()).collect());
    if tags.len() > TAGS { Err(Problem::field("tags", format!("must be at most {TAGS}"))) } else { Ok(tags) }
}
