//! With whom a collection is shared. A person's share ends with their stay in the organisation, a team's with the team.

pub(super) mod list;
pub(super) mod teams;
pub(super) mod users;

use domain::access::can;
use domain::{CollectionId, Time};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use store::Tx;
use store::audit::Event;
use store::org::knowledge::collections::{self, Collection, Reach, Sharer, Subject};

use crate::http::caller::Caller;
use crate::http::error::{Problem, Result};
use crate::http::reply::{Done, Found};

/// Whether it is a person or a team.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum ShareLevel {
    User,
    Team,
}

/// Somebody with whom a collection is shared.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Share")]
pub(crate) struct ShareView {
    level: ShareLevel,
    /// The person or the team.
    id: String,
    /// Since when.
    created_at: Time,
}

impl ShareView {
    fn of(subject: Subject, created_at: Time) -> Self {
        let (level, id) = match subject {
            Subject::User(user) => (ShareLevel::User, user.to_string()),
            Subject::Team(team) => (ShareLevel::Team, team.to_string()),
        };
        Self { level, id, created_at }
    }
}

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
    let subject = match with {
        Sharer::User(user, _) => Subject::User(user),
        Sharer::Team(team) => Subject::Team(team),
    };
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

fn id_of(subject: Subject) -> String {
    match subject {
        Subject::User(user) => user.to_string(),
        Subject::Team(team) => team.to_string(),
    }
}
