//! `POST /api/v1/threads/{id}/messages/{message_id}/correction`: makes what would have been right knowledge: a document, found from then
//! on as any other. Whoever manages knowledge where it lands approves it, and may put it into other words.

use domain::access::{Permission, can};
use domain::text::Correction;
use domain::{CollectionId, ThreadId, TurnId};
use schemars::JsonSchema;
use serde::Deserialize;
use store::Tx;
use store::org::knowledge::threads::{self, Author};

use super::arrive::{Uploaded, arrive};
use super::receive::{Desk, Received};
use crate::http::body::{Body, Path};
use crate::http::caller::{Local, Metered, meters};
use crate::http::error::{Problem, Result};
use crate::http::reply::Accepted;
use crate::knowledge::sight;
use crate::threads::find;

/// The source of such a document.
const SOURCE: &str = "correction";
/// Characters of its title, which is the question.
const TITLE: usize = 200;
/// Messages that are read at once.
const PAGE: i64 = 200;

/// Where a correction is to be known.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Approve {
    /// The collection in which it becomes a document.
    collection_id: CollectionId,
    /// What is right; as it was said to the answer when left out.
    #[serde(default)]
    text: Option<Correction>,
}

pub(crate) async fn approve(
    gate: Metered<Local<can::KnowledgeWrite>, meters::Documents>,
    Path((id, message)): Path<(ThreadId, TurnId)>,
    Body(body): Body<Approve>,
) -> Result<Accepted<Uploaded>> {
    let (gate, _pass) = gate.through();
    let mut caller = gate.each();
    let mut tx = caller.read().await?;
    find(&mut tx, caller.scope(), id).await?;
    let answer = threads::message(&mut tx, id, message).await?;
    let question = question(&mut tx, id, message).await?;
    let seen = sight::find(&mut tx, caller.scope(), Permission::KnowledgeWrite, body.collection_id).await?;
    drop(tx);
    if !caller.scope().grants().allow(Permission::KnowledgeManage, seen.place.object) {
        return Err(caller.deny(Permission::KnowledgeManage, &body.collection_id.to_string()).await);
    }
    caller.answered()?;
    seen.require_open()?;
    if answer.author != Author::Assistant {
        return Err(Problem::new("conflict", "Only answers are corrected."));
    }
    let right = body.text.map(|text| text.as_str().to_owned()).or(answer.correction);
    let Some(right) = right else {
        return Err(Problem::new("conflict", "Nobody has said what would have been right; send `text`."));
    };
    let desk = Desk::open(&caller, 1).await?;
    // With the question, in whose words others will ask.
    let written = desk.bytes(format!("{question}\n\n{right}\n")).await?;
    let title: String = question.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(TITLE).collect();
    let received = Received { written, name: format!("{message}.txt"), title: Some(title), tags: None };
    arrive(&caller, body.collection_id, received, SOURCE, &desk).await
}

/// What was asked last before a message.
async fn question(tx: &mut Tx, thread: ThreadId, message: TurnId) -> Result<String> {
    let (mut question, mut after) = (String::new(), None);
    loop {
        let page = threads::messages(tx, thread, after, PAGE).await?;
        after = page.last().map(|one| one.id);
        for one in page {
            if one.id >= message {
                return Ok(question);
            }
            if one.author == Author::User {
                question = one.content;
            }
        }
        if after.is_none() {
            return Ok(question);
        }
    }
}
