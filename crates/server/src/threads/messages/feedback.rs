//! `PUT /api/v1/threads/{id}/messages/{message_id}/feedback`: rates an answer, comments on it, corrects it. It takes the place of what
//! was said to it before.

use domain::access::can;
use domain::text::{Correction, Remark};
use domain::{ThreadId, TurnId};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use store::audit::Event;
use store::org::knowledge::threads::{self, Author};

use super::MessageView;
use crate::http::body::{Body, Path};
use crate::http::caller::Local;
use crate::http::error::{Problem, Result};
use crate::http::reply::Found;
use crate::threads::citations::Citable;
use crate::threads::own;

/// What is said to an answer.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Feedback {
    /// 1 for good, -1 for bad.
    #[serde(default)]
    rating: Option<i64>,
    #[serde(default)]
    comment: Option<Remark>,
    /// What would have been right.
    #[serde(default)]
    correction: Option<Correction>,
}

pub(crate) async fn put(
    local: Local<can::AnswersUse>,
    Path((id, message)): Path<(ThreadId, TurnId)>,
    Body(body): Body<Feedback>,
) -> Result<Found<MessageView>> {
    let caller = local.each();
    if body.rating.is_some_and(|rating| rating != 1 && rating != -1) {
        return Err(Problem::field("rating", "must be 1, -1 or null"));
    }
    let (mut tx, _, place) = own(&caller, id).await?;
    let before = threads::message(&mut tx, id, message).await?;
    place.require_changeable()?;
    if before.author != Author::Assistant {
        return Err(Problem::new("conflict", "Only answers are rated."));
    }
    let (comment, correction) = (body.comment.as_ref().map(Remark::as_str), body.correction.as_ref());
    let correction = correction.map(Correction::as_str);
    threads::rate(&mut tx, message, body.rating, comment, correction).await?;
    let after = threads::message(&mut tx, id, message).await?;
    let detail = json!({ "thread": id, "rating": body.rating, "corrected": correction.is_some() });
    tx.record(Event::new("message.rated", message).before(&before).after(&after).detail(detail)).await?;
    let citable = Citable::of(&mut tx, caller.scope(), std::slice::from_ref(&after)).await?;
    caller.commit(tx, Found(MessageView::of(after, &citable, true))).await
}
