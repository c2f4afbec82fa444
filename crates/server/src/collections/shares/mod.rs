//! With whom a collection is shared. A person's share ends with their stay in the organisation, a team's with the team.

pub(super) mod list;
pub(super) mod teams;
pub(super) mod users;

use domain::CollectionId;
use domain::access::can;
use serde_json::json;
use store::Tx;
use store::audit::Event;
use store::org::knowledge::collections::{self, Collection, Reach, Sharer, Subject};

use crate::http::caller::Caller;
use crate::http::error::{Problem, Result};
use crate::http::reply::{Done, Found};
use crate::knowledge::share::{ShareView, id_of, subject_of};

/// Shares a collection that the caller may change.
async fn share(
    caller: &Caller<can::KnowledgeWrite>,
    mut tx: Tx,
    collection: &Collection,
    with: Sharer,
) -> Result<Found<ShareView>> {
    if collection.access != Reach::Shared {
        return Err(Problem::new("conflict", "The collection is not shared: change its access to `shared` first."));
    }
    let subject = subject_of(with);
    if collections::share(&mut tx, collection.id, with).await? {
        tx.record(Event::new("collection.shared", collection.id).detail(json!({ "with": id_of(subject) }))).await?;
    }
    let since = collections::shared_since(&mut tx, collection.id, subject).await?;
    caller.commit(tx, Found(ShareView::of(subject, since))).await
}

/// Ends a share of a collection that the caller may change.
async fn unshare(caller: &Caller<can::KnowledgeWrite>, mut tx: Tx, id: CollectionId, with: Subject) -> Result<Done> {
    if !collections::unshare(&mut tx, id, with).await? {
        return Err(Problem::not_found());
    }
    tx.record(Event::new("collection.unshared", id).detail(json!({ "with": id_of(with) }))).await?;
    caller.commit(tx, Done).await
}
