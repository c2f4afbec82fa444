//! With whom a collection or a conversation is shared. A person's share ends with their stay in the organisation, a team's with the team.

pub(crate) mod list;
pub(crate) mod teams;
pub(crate) mod users;

use std::fmt::Display;

use domain::Time;
use domain::access::Requires;
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use store::Tx;
use store::audit::Event;
use store::org::knowledge::collections::Reach;
use store::org::knowledge::shares::{self, Shared, Sharer, Subject};

use crate::http::caller::Caller;
use crate::http::error::{Problem, Result};
use crate::http::reply::{Done, Found};

/// The id of something that is shared with people and teams, and who decides with whom.
pub(crate) trait Shareable: Copy + Display + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// What the routes ask for.
    type Can: Requires;
    /// What it is called.
    const NAME: &'static str;
    /// The events that tell of it.
    const SHARED: &'static str;
    const UNSHARED: &'static str;

    fn shared(self) -> Shared;

    /// Refuses who may not know with whom it is shared.
    fn look(self, caller: &Caller<Self::Can>, tx: Tx) -> impl Future<Output = Result<Tx>> + Send;

    /// Refuses who may not share it with others; gives who sees it.
    fn widen(self, caller: &Caller<Self::Can>, tx: Tx) -> impl Future<Output = Result<(Tx, Reach)>> + Send;

    /// Refuses who may not end a share of it.
    fn narrow(self, caller: &Caller<Self::Can>, tx: Tx) -> impl Future<Output = Result<Tx>> + Send;
}

/// Whether it is a person or a team.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum ShareLevel {
    User,
    Team,
}

/// Somebody with whom a collection or a conversation is shared.
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
        let level = match subject {
            Subject::User(_) => ShareLevel::User,
            Subject::Team(_) => ShareLevel::Team,
        };
        Self { level, id: id_of(subject), created_at }
    }
}

fn id_of(subject: Subject) -> String {
    match subject {
        Subject::User(user) => user.to_string(),
        Subject::Team(team) => team.to_string(),
    }
}

/// Shares something; `access` says who sees it.
async fn share<S: Shareable>(
    caller: &Caller<S::Can>,
    mut tx: Tx,
    what: S,
    access: Reach,
    with: Sharer,
) -> Result<Found<ShareView>> {
    if access != Reach::Shared {
        let name = S::NAME;
        return Err(Problem::new(
            "conflict",
            format!("The {name} is not shared: change its access to `shared` first."),
        ));
    }
    let subject = with.subject();
    if shares::share(&mut tx, what.shared(), with).await? {
        tx.record(Event::new(S::SHARED, what).detail(json!({ "with": id_of(subject) }))).await?;
    }
    let since = shares::since(&mut tx, what.shared(), subject).await?;
    caller.commit(tx, Found(ShareView::of(subject, since))).await
}

/// Ends a share.
async fn unshare<S: Shareable>(caller: &Caller<S::Can>, what: S, with: Subject) -> Result<Done> {
    let mut tx = what.narrow(caller, caller.begin().await?).await?;
    if !shares::unshare(&mut tx, what.shared(), with).await? {
        return Err(Problem::not_found());
    }
    tx.record(Event::new(S::UNSHARED, what).detail(json!({ "with": id_of(with) }))).await?;
    caller.commit(tx, Done).await
}
