//! With whom a conversation is shared, to be read. A person's share ends with their stay in the organisation, a team's with the team.

pub(super) mod list;
pub(super) mod teams;
pub(super) mod users;

use domain::ThreadId;
use domain::access::can;
use serde_json::json;
use store::Tx;
use store::audit::Event;
use store::org::knowledge::collections::{Reach, Sharer, Subject};
use store::org::knowledge::thread_shares;
use store::org::knowledge::threads::Thread;

use crate::http::caller::Caller;
use crate::http::error::{Problem, Result};
use crate::http::reply::{Done, Found};
use crate::knowledge::share::{ShareView, id_of, subject_of};

/// Shares the caller's own conversation.
async fn share(
    caller: &Caller<can::AnswersUse>,
    mut tx: Tx,
    thread: &Thread,
    with: Sharer,
) -> Result<Found<ShareView>> {
    if thread.access != Reach::Shared {
        return Err(Problem::new("conflict", "The conversation is not shared: change its access to `shared` first."));
    }
    let subject = subject_of(with);
    if thread_shares::share(&mut tx, thread.id, with).await? {
        tx.record(Event::new("thread.shared", thread.id).detail(json!({ "with": id_of(subject) }))).await?;
    }
    let since = thread_shares::since(&mut tx, thread.id, subject).await?;
    caller.commit(tx, Found(ShareView::of(subject, since))).await
}

/// Ends a share of the caller's own conversation.
async fn unshare(caller: &Caller<can::AnswersUse>, mut tx: Tx, id: ThreadId, with: Subject) -> Result<Done> {
    if !thread_shares::unshare(&mut tx, id, with).await? {
        return Err(Problem::not_found());
    }
    tx.record(Event::new("thread.unshared", id).detail(json!({ "with": id_of(with) }))).await?;
    caller.commit(tx, Done).await
}
