//! `GET /api/v1/threads`: lists the caller's own conversations, or all shared ones that the caller may read; the newest first.

use std::collections::BTreeMap;

use domain::access::{Permission, can};
use domain::{ProjectId, ThreadId};
use schemars::JsonSchema;
use serde::Deserialize;
use store::Tx;
use store::org::knowledge::threads::{self, Thread};

use super::{Ears, ThreadView};
use crate::http::body::Query;
use crate::http::caller::Local;
use crate::http::cursor::{self, MOST};
use crate::http::error::{Problem, Result};
use crate::http::reply::{Found, Page};
use crate::knowledge::place::Place;

/// The longest text that is looked for, in characters.
const LONGEST: usize = 200;

/// Which conversations, and which page of them.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListThreads {
    /// Only those with this text in their title or in what was said, whatever its case.
    q: Option<String>,
    /// `true` for those that are shared, others' too; the caller's own when left out.
    #[serde(default)]
    shared: bool,
    /// At most so many; 50 when left out, 200 at the most.
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

pub(crate) async fn list(
    local: Local<can::AnswersUse>,
    Query(query): Query<ListThreads>,
) -> Result<Found<Page<ThreadView>>> {
    let caller = local.each();
    if !caller.scope().grants().allow_anywhere(Permission::AnswersUse) {
        return Err(caller.deny(Permission::AnswersUse, "organisation").await);
    }
    if query.q.as_ref().is_some_and(|q| q.chars().count() > LONGEST) {
        return Err(Problem::field("q", format!("must be at most {LONGEST} characters long")));
    }
    let limit = cursor::limit(query.limit)?;
    let bound = caller.list("threads", &(&query.q, query.shared, caller.scope().selected_project()));
    let mut before: Option<ThreadId> = bound.read(query.cursor.as_deref())?;
    let wanted = query.q.unwrap_or_default().to_lowercase();
    let mut tx = caller.read().await?;
    let ears = Ears::of(&mut tx, caller.scope()).await?;
    let mut places: BTreeMap<Option<ProjectId>, Place> = BTreeMap::new();
    let mut visible = Vec::new();
    let enough = usize::try_from(limit).unwrap_or(usize::MAX);
    // Reads on until the page is full, so that what is hidden leaves no gap to count.
    loop {
        let rows = if query.shared {
            threads::shared(&mut tx, before, MOST.into()).await?
        } else {
            threads::of_person(&mut tx, caller.user(), before, MOST.into()).await?
        };
        before = rows.last().map(|thread| thread.id);
        for thread in rows {
            let place = match places.get(&thread.project_id) {
                Some(known) => *known,
                None => Place::of(&mut tx, thread.project_id).await?,
            };
            places.insert(thread.project_id, place);
            if ears.hears(&thread, place.object) && says(&mut tx, &thread, &wanted).await? {
                visible.push(thread);
            }
        }
        if before.is_none() || visible.len() > enough {
            break;
        }
    }
    Ok(Found(bound.page(visible, limit, |thread| thread.id).map(ThreadView::from)))
}

/// Whether a text stands in the title of a conversation, or in what was said in it.
async fn says(tx: &mut Tx, thread: &Thread, wanted: &str) -> Result<bool> {
    if thread.title.to_lowercase().contains(wanted) {
        return Ok(true);
    }
    let mut after = None;
    loop {
        // Compared here: the engines differ in what they take for the same letter.
        let page = threads::messages(tx, thread.id, after, MOST.into()).await?;
        if page.iter().any(|message| message.content.to_lowercase().contains(wanted)) {
            return Ok(true);
        }
        after = page.last().map(|message| message.id);
        if after.is_none() {
            return Ok(false);
        }
    }
}
