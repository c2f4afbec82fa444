//! `POST /api/v1/threads`: begins a conversation.

use domain::ProjectId;
use domain::access::can;
use domain::text::ThreadTitle;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use store::audit::Event;
use store::org::knowledge::collections::Reach;
use store::org::knowledge::threads::{self, Thread};

use super::ThreadView;
use crate::http::body::Body;
use crate::http::caller::Local;
use crate::http::error::Result;
use crate::http::reply::{Created, Versioned};
use crate::knowledge::place::choose;

/// A conversation to begin.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateThread {
    #[serde(default)]
    title: Option<ThreadTitle>,
    /// The project whose knowledge it asks. When left out, the one that the request selects; else all that the person may see.
    #[serde(default)]
    project_id: Option<ProjectId>,
    /// Who reads it; `private` when left out.
    #[serde(default)]
    access: Option<Reach>,
}

pub(crate) async fn create(
    local: Local<can::AnswersUse>,
    Body(body): Body<CreateThread>,
) -> Result<Versioned<Created<ThreadView>>> {
    let (caller, project_id) = choose(local, body.project_id).await?;
    let now = caller.ambient().now();
    let thread = Thread {
        id: caller.ambient().id(),
        project_id,
        user_id: caller.user(),
        title: body.title.map_or_else(String::new, |title| title.as_str().to_owned()),
        access: body.access.unwrap_or(Reach::Private),
        version: 1,
        created_at: now,
        updated_at: now,
    };
    let mut tx = caller.begin().await?;
    threads::insert(&mut tx, &thread).await?;
    let detail = json!({ "project": project_id, "access": thread.access });
    tx.record(Event::new("thread.created", thread.id).after(&thread).detail(detail)).await?;
    caller.commit(tx, Versioned(thread.version, Created(thread.into()))).await
}
