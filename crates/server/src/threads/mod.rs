//! Conversations: private to the person whose they are, unless shared: with people and teams, as far as these may ask at all, or with
//! everybody who may ask in their project, in the organisation when they have none. Nobody else than the person changes anything in them.

pub(crate) mod citations;
mod create;
mod delete;
mod export;
mod get;
mod list;
pub(crate) mod messages;
mod update;

use std::collections::BTreeSet;

use domain::access::{Permission, can};
use domain::authoriser::Object;
use domain::{ProjectId, ThreadId, Time, UserId};
use schemars::JsonSchema;
use serde::Serialize;
use store::org::knowledge::collections::Reach;
use store::org::knowledge::shares::{Shared, threads as shared_threads};
use store::org::knowledge::threads::{self, Thread};
use store::{Error, Scope, Tx};

use crate::http::caller::Caller;
use crate::http::error::{Problem, Result};
use crate::knowledge::place::{Place, holds, is_left_out};
use crate::knowledge::shares::{self, Shareable};
use crate::routes::Routes;

pub(crate) fn routes(routes: Routes) -> Routes {
    routes
        .get("/api/v1/threads", "Lists the caller's own conversations, or those that are shared.", list::list)
        .post("/api/v1/threads", "Begins a conversation.", create::create)
        .get("/api/v1/threads/{id}", "Shows a conversation.", get::get)
        .patch("/api/v1/threads/{id}", "Renames a conversation, or changes who reads it.", update::update)
        .delete("/api/v1/threads/{id}", "Deletes a conversation.", delete::delete)
        .get("/api/v1/threads/{id}/shares", "Lists with whom a conversation is shared.", shares::list::list::<ThreadId>)
        .put(
            "/api/v1/threads/{id}/shares/users/{user_id}",
            "Shares a conversation with somebody.",
            shares::users::put::<ThreadId>,
        )
        .delete(
            "/api/v1/threads/{id}/shares/users/{user_id}",
            "Ends sharing a conversation with somebody.",
            shares::users::delete::<ThreadId>,
        )
        .put(
            "/api/v1/threads/{id}/shares/teams/{team_id}",
            "Shares a conversation with a team and the teams below it.",
            shares::teams::put::<ThreadId>,
        )
        .delete(
            "/api/v1/threads/{id}/shares/teams/{team_id}",
            "Ends sharing a conversation with a team.",
            shares::teams::delete::<ThreadId>,
        )
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
    /// Who reads it.
    access: Reach,
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
            access: thread.access,
            created_by: thread.user_id,
            created_at: thread.created_at,
            updated_at: thread.updated_at,
        }
    }
}

/// What a caller reads, as far as it is not said by the conversation itself.
pub(crate) struct Ears<'a> {
    scope: &'a Scope,
    /// What is shared with the person, or with a team that they are in.
    shared: BTreeSet<ThreadId>,
}

impl<'a> Ears<'a> {
    pub(crate) async fn of(tx: &mut Tx, scope: &'a Scope) -> store::Result<Self> {
        let shared = shared_threads(tx, scope.user(), scope.membership()).await?;
        Ok(Self { scope, shared: shared.into_iter().collect() })
    }

    pub(crate) fn hears(&self, thread: &Thread, place: Object) -> bool {
        if is_left_out(self.scope.selected_project(), thread.project_id) {
            return false;
        }
        let holds = || holds(self.scope, Permission::AnswersUse, place);
        let own = thread.user_id == self.scope.user() && holds();
        own || match thread.access {
            Reach::Private => false,
            Reach::Shared => self.shared.contains(&thread.id) && holds(),
            Reach::Project => self.scope.grants().allow(Permission::AnswersUse, place),
        }
    }
}

impl Shareable for ThreadId {
    type Can = can::AnswersUse;
    const NAME: &'static str = "conversation";
    const SHARED: &'static str = "thread.shared";
    const UNSHARED: &'static str = "thread.unshared";

    fn shared(self) -> Shared {
        Shared::Thread(self)
    }

    async fn look(self, caller: &Caller<Self::Can>, tx: Tx) -> Result<Tx> {
        Ok(own_in(caller, tx, self).await?.0)
    }

    async fn widen(self, caller: &Caller<Self::Can>, tx: Tx) -> Result<(Tx, Reach)> {
        let (tx, thread, place) = own_in(caller, tx, self).await?;
        place.require_changeable()?;
        Ok((tx, thread.access))
    }

    async fn narrow(self, caller: &Caller<Self::Can>, tx: Tx) -> Result<Tx> {
        self.look(caller, tx).await
    }
}

/// A conversation that the caller may read, and where it is.
/// # Errors
/// [`Error::NotFound`] when there is none, and when the caller does not see it.
pub(crate) async fn find(tx: &mut Tx, scope: &Scope, id: ThreadId) -> store::Result<(Thread, Place)> {
    let thread = threads::get(tx, id).await?;
    let place = Place::of(tx, thread.project_id).await?;
    if Ears::of(tx, scope).await?.hears(&thread, place.object) {
        Ok((thread, place))
    } else {
        Err(Error::NotFound("thread"))
    }
}

/// The caller's own conversation, in a transaction to change it.
pub(crate) async fn own(caller: &Caller<can::AnswersUse>, id: ThreadId) -> Result<(Tx, Thread, Place)> {
    own_in(caller, caller.begin().await?, id).await
}

/// The same, in a transaction that was begun already.
async fn own_in(caller: &Caller<can::AnswersUse>, mut tx: Tx, id: ThreadId) -> Result<(Tx, Thread, Place)> {
    let (thread, place) = find(&mut tx, caller.scope(), id).await?;
    if thread.user_id != caller.user() {
        return Err(Problem::new("forbidden", "Only whose conversation it is can change it."));
    }
    Ok((tx, thread, place))
}
