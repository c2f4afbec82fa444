//! Conversations: private to the person whose they are, unless shared; then whoever may ask in their project, or in the organisation
//! when they have none, reads them. Nobody else than the person changes anything in them.

pub(crate) mod citations;
mod create;
mod delete;
mod export;
mod get;
mod list;
pub(crate) mod messages;
mod update;

use domain::access::{Permission, can};
use domain::authoriser::Object;
use domain::{ProjectId, ThreadId, Time, UserId};
use schemars::JsonSchema;
use serde::Serialize;
use store::org::knowledge::threads::{self, Thread};
use store::{Error, Scope, Tx};

use crate::http::caller::Caller;
use crate::http::error::{Problem, Result};
use crate::knowledge::place::{Place, holds, is_left_out};
use crate::routes::Routes;

pub(crate) fn routes(routes: Routes) -> Routes {
    routes
        .get("/api/v1/threads", "Lists the caller's own conversations, or those that are shared.", list::list)
        .post("/api/v1/threads", "Begins a conversation.", create::create)
        .get("/api/v1/threads/{id}", "Shows a conversation.", get::get)
        .patch("/api/v1/threads/{id}", "Renames a conversation, or shares it.", update::update)
        .delete("/api/v1/threads/{id}", "Deletes a conversation.", delete::delete)
        .get("/api/v1/threads/{id}/messages", "Lists what was said in a conversation.", messages::list::list)
        .put(
            "/api/v1/threads/{id}/messages/{message_id}/feedback",
            "Rates an answer, comments on it, corrects it.",
            messages::feedback::put,
        )
        .get("/api/v1/threads/{id}/export", "Takes a conversation out as Markdown.", export::export)
}

/// A conversation.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Thread")]
pub(crate) struct ThreadView {
    id: ThreadId,
    /// The project whose knowledge it asks; null for all that the person may see.
    project_id: Option<ProjectId>,
    /// What it is called; empty until somebody said so.
    title: String,
    /// Whether others who may ask there can read it.
    shared: bool,
    /// Whose it is.
    created_by: UserId,
    created_at: Time,
    /// When something was last said.
    updated_at: Time,
}

impl From<Thread> for ThreadView {
    fn from(thread: Thread) -> Self {
        Self {
            id: thread.id,
            project_id: thread.project_id,
            title: thread.title,
            shared: thread.shared,
            created_by: thread.user_id,
            created_at: thread.created_at,
            updated_at: thread.updated_at,
        }
    }
}

fn is_visible(scope: &Scope, thread: &Thread, place: Object) -> bool {
    if is_left_out(scope, thread.project_id) {
        return false;
    }
    let own = thread.user_id == scope.user() && holds(scope, Permission::AnswersUse, place);
    own || (thread.shared && scope.grants().allow(Permission::AnswersUse, place))
}

/// A conversation that the caller may read, and where it is.
/// # Errors
/// [`Error::NotFound`] when there is none, and when the caller does not see it.
pub(crate) async fn find(tx: &mut Tx, scope: &Scope, id: ThreadId) -> store::Result<(Thread, Place)> {
    let thread = threads::get(tx, id).await?;
    let place = Place::of(tx, thread.project_id).await?;
    if is_visible(scope, &thread, place.object) { Ok((thread, place)) } else { Err(Error::NotFound("thread")) }
}

/// The caller's own conversation, in a transaction to change it.
pub(crate) async fn own(caller: &Caller<can::AnswersUse>, id: ThreadId) -> Result<(Tx, Thread, Place)> {
    let mut tx = caller.begin().await?;
    let (thread, place) = find(&mut tx, caller.scope(), id).await?;
    if thread.user_id != caller.user() {
        return Err(Problem::new("forbidden", "Only whose conversation it is can change it."));
    }
    Ok((tx, thread, place))
}
