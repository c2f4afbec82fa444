//! `PATCH /api/v1/threads/{id}`: renames a conversation, or changes who reads it.

use domain::ThreadId;
use domain::access::can;
use domain::text::ThreadTitle;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use store::audit::Event;
use store::org::knowledge::collections::Reach;
use store::org::knowledge::shares::{self, Shared};
use store::org::knowledge::threads;

use super::{ThreadView, own};
use crate::http::body::{Body, IfMatch, Path};
use crate::http::caller::Local;
use crate::http::error::Result;
use crate::http::reply::{Found, Versioned};

/// What to change; what is left out stays.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateThread {
    #[serde(default)]
    title: Option<ThreadTitle>,
    /// Who reads it. All shares end when it is not `shared` any more.
    #[serde(default)]
    access: Option<Reach>,
}

pub(crate) async fn update(
    local: Local<can::AnswersUse>,
    Path(id): Path<ThreadId>,
    expected: IfMatch,
    Body(body): Body<UpdateThread>,
) -> Result<Versioned<Found<ThreadView>>> {
    let caller = local.each();
    let (mut tx, before, place) = own(&caller, id).await?;
    place.require_changeable()?;
    expected.check(before.version)?;
    let mut thread = before.clone();
    if let Some(title) = body.title {
        title.as_str().clone_into(&mut thread.title);
    }
    let mut ended = 0;
    if let Some(access) = body.access.filter(|access| *access != before.access) {
        thread.access = access;
        // A share that rested would let people in again whenever it is shared with others later.
        ended = shares::end_all(&mut tx, Shared::Thread(id)).await?;
    }
    threads::update(&mut tx, &thread).await?;
    let thread = threads::get(&mut tx, id).await?;
    let detail = json!({ "access": thread.access, "shares_ended": ended });
    tx.record(Event::new("thread.updated", id).before(&before).after(&thread).detail(detail)).await?;
    caller.commit(tx, Versioned(thread.version, Found(thread.into()))).await
}
