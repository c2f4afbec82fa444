//! `GET /api/v1/threads/{id}/messages`: lists what was said in a conversation, in order.

use domain::ThreadId;
use domain::access::{Permission, can};
use store::org::knowledge::threads;

use super::MessageView;
use crate::http::body::{Path, Query};
use crate::http::caller::Local;
use crate::http::cursor::{self, Paging};
use crate::http::error::Result;
use crate::http::reply::{Found, Page};
use crate::threads::citations::Citable;
use crate::threads::find;

pub(crate) async fn list(
    local: Local<can::AnswersUse>,
    Path(id): Path<ThreadId>,
    Query(paging): Query<Paging>,
) -> Result<Found<Page<MessageView>>> {
    let caller = local.each();
    let limit = cursor::limit(paging.limit)?;
    let bound = caller.list("messages", &id);
    let mut tx = caller.read().await?;
    let (thread, place) = find(&mut tx, caller.scope(), id).await?;
    let after = bound.read(paging.cursor.as_deref())?;
    let rows = threads::messages(&mut tx, id, after, limit + 1).await?;
    let page = bound.page(rows, limit, |message| message.id);
    let citable = Citable::of(&mut tx, caller.scope(), &page.data).await?;
    let own = thread.user_id == caller.user();
    // Whoever can make a correction known reads it.
    let approves = caller.scope().grants().allow(Permission::KnowledgeManage, place.object);
    Ok(Found(page.map(|message| {
        let correction = message.correction.clone().filter(|_| own || approves);
        MessageView { correction, ..MessageView::of(message, &citable, own) }
    })))
}
