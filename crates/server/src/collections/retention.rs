//! Rules by which documents go: a job wakes the organisation when the rule of a collection is due, and queues itself for the next time.
//! What is taken stands in [`store::org::knowledge::retention`].

use std::time::Duration;

use domain::access::can;
use domain::{CollectionId, Id, Time};
use schemars::JsonSchema;
use serde::Deserialize;
use store::Turn;
use store::control::jobs::{self, Job};
use store::org::knowledge::{circles, collections, retention};

use crate::App;
use crate::http::caller::Caller;
use crate::http::error::{Problem, Result};
use crate::knowledge::originals;
use crate::knowledge::place::Place;

/// The kind of job that looks at a rule; its subject is the collection.
pub(crate) const RETAIN: &str = "retain";
/// How long a claim lasts.
const LEASE: Duration = Duration::from_mins(5);
/// The longest time that a rule can give.
const MOST_DAYS: i64 = 3650;

/// After how many days a document goes that neither changed nor came again: 1 to 3650.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(super) struct Days(#[schemars(range(min = 1, max = 3650))] i64);

impl Days {
    /// The number, when it is one that can be.
    pub(super) fn checked(self) -> Result<i64> {
        if (1..=MOST_DAYS).contains(&self.0) {
            return Ok(self.0);
        }
        Err(Problem::field("retain_days", format!("must be 1 to {MOST_DAYS}, or null for ever")))
    }
}

/// Queues the work on a rule that is about to be set.
pub(super) async fn queue(caller: &Caller<can::KnowledgeWrite>, id: CollectionId) -> Result<()> {
    let due = caller.ambient().now() + retention::PAUSE;
    let mut tx = caller.begin_control().await?;
    jobs::queue(&mut tx, caller.org(), RETAIN, id, caller.user(), due).await?;
    Ok(tx.commit().await?)
}

/// Claims one rule that is due and follows it; says whether there was one.
pub(crate) async fn work(app: &App) -> store::Result<bool> {
    let store = &app.house.store;
    let Some(job) = jobs::take(store, RETAIN, LEASE).await? else { return Ok(false) };
    let outcome = follow(app, &job).await;
    let now = store.ambient().now();
    let mut tx = store.begin_control(Turn::Free).await?;
    match outcome {
        Ok(Some(next)) => jobs::later(&mut tx, &job, next).await?,
        // The collection or its rule is gone.
        Ok(None) | Err(store::Error::NotFound(_)) => jobs::done(&mut tx, &job).await?,
        Err(error) => {
            tracing::warn!(job = %job.id(), org = %job.org(), %error, "a rule of retention could not be followed");
            let power = u32::try_from(job.attempts().min(8)).unwrap_or(8);
            jobs::later(&mut tx, &job, now + Duration::from_secs(2) * 2_u32.saturating_pow(power)).await?;
        }
    }
    tx.commit().await?;
    Ok(true)
}

/// Follows a rule once; says when it is looked at next.
async fn follow(app: &App, job: &Job) -> store::Result<Option<Time>> {
    let store = &app.house.store;
    let scope = store.enter_for(job).await?;
    if !scope.grants().status.admits_writes() {
        // What is kept stays kept in an organisation that is suspended or closing. It goes when that is over.
        return Ok(Some(store.ambient().now() + retention::PAUSE));
    }
    let mut tx = store.open(&scope).begin().await?;
    let Some(collection) = collections::find(&mut tx, CollectionId::from_uuid(job.document().uuid())).await? else {
        return Ok(None);
    };
    if collection.retain_days.is_some() && Place::of(&mut tx, collection.project_id).await?.archived {
        // Nothing in an archived project changes. Its documents go when it is restored.
        let next = tx.now() + retention::PAUSE;
        retention::postpone(&mut tx, collection.id, next).await?;
        tx.commit().await?;
        return Ok(Some(next));
    }
    let circles = circles::within(&mut tx, collection.id).await?;
    drop(tx);
    let mut next = None;
    // Each by itself: nothing of what is in a circle shows at the collection around it.
    for collection in std::iter::once(collection).chain(circles) {
        let mut tx = store.open(&scope).begin().await?;
        let Some(collection) = collections::find(&mut tx, collection.id).await? else { continue };
        let Some(run) = retention::run(&mut tx, &collection).await? else { continue };
        tx.commit().await?;
        if run.taken > 0 {
            originals::forget(store, &scope, run.originals).await;
            originals::rinse(store, &scope).await;
        }
        next = Some(next.map_or(run.next, |next: Time| next.min(run.next)));
    }
    Ok(next)
}
