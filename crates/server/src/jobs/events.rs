//! `GET /api/v1/collections/{id}/events`: server-sent events about what is under way in a collection: one for each step of each
//! document and archive, within a second of it.
//!
//! Each listener looks at the rows that changed since; whichever node did the work wrote them. The credential and what it may see are
//! looked at again every four seconds; the stream ends with them, and with the server.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::access::{Permission, can};
use domain::{CollectionId, JobId, Time};
use store::Scope;
use store::org::knowledge::{documents, imports};

use super::listeners::Place;
use super::{JobState, JobView};
use crate::App;
use crate::http::body::Path;
use crate::http::caller::Local;
use crate::http::error::Result;
use crate::http::events::event;
use crate::http::listening::{Listener, Listening, Next, Tells};
use crate::knowledge::sight;

/// How often the rows are looked at.
const PAUSE: Duration = Duration::from_millis(500);
/// How far back: the clocks of nodes may differ by less, and a row may become visible as much later than it says.
const WINDOW: Duration = Duration::from_secs(5);
/// Rows read at a time, and how many times in one look.
const BATCH: i64 = 500;
const BATCHES: usize = 20;

/// How far a job was when it was last told of.
type Told = (JobState, i64, Option<i64>);

/// What becomes of the documents of a collection.
pub(crate) struct Progress {
    app: App,
    scope: Scope,
    collection: CollectionId,
    since: Time,
    /// What was told of rows that changed within the window: by job, when the row changed and how far the job was.
    told: BTreeMap<JobId, (Time, Told)>,
    waiting: Vec<JobView>,
    _place: Place,
}

pub(crate) async fn events(
    local: Local<can::KnowledgeRead>,
    listener: Listener,
    Path(id): Path<CollectionId>,
) -> Result<Listening<Progress>> {
    let caller = local.each();
    let mut tx = caller.read().await?;
    sight::find(&mut tx, caller.scope(), Permission::KnowledgeRead, id).await?;
    drop(tx);
    let (app, scope) = (caller.app().clone(), caller.scope().clone());
    let mut progress = Progress {
        _place: app.listeners.join(scope.org())?,
        app: app.clone(),
        scope,
        collection: id,
        since: caller.ambient().now(),
        told: BTreeMap::new(),
        waiting: Vec::new(),
    };
    // What is at its end by now is no news; what is under way is told of first.
    progress.look().await?;
    progress.waiting.retain(|job| !job.state.is_end());
    listener.hears(app, caller.scope(), progress)
}

impl Tells for Progress {
    const DESCRIPTION: &'static str = "A stream of events `job`, each with a job as it is now.";

    async fn next(&mut self) -> Next {
        if self.waiting.is_empty() && self.look().await.is_err() {
            return Next::End;
        }
        if let Some(job) = self.waiting.pop() {
            return Next::Event(event("job", &job));
        }
        tokio::time::sleep(PAUSE).await;
        Next::Quiet
    }

    async fn may_go_on(&mut self, scope: Scope) -> bool {
        let Ok(mut tx) = self.app.house.store.open(&scope).read().await else { return false };
        let seen = sight::find(&mut tx, &scope, Permission::KnowledgeRead, self.collection).await.is_ok();
        drop(tx);
        self.scope = scope;
        seen
    }
}

impl Progress {
    /// Looks at what changed, and lets wait what is news.
    async fn look(&mut self) -> store::Result<()> {
        let store = &self.app.house.store;
        let mut tx = store.open(&self.scope).read().await?;
        let (mut jobs, mut since, mut after) = (Vec::new(), self.since - WINDOW, None);
        for _ in 0..BATCHES {
            let rows = documents::changed_since(&mut tx, self.collection, since, after, BATCH).await?;
            let Some(last) = rows.last() else { break };
            (since, after) = (last.updated_at, Some(last.id));
            jobs.extend(rows.into_iter().map(JobView::from));
        }
        let rows = imports::changed_since(&mut tx, self.collection, self.since - WINDOW, BATCH).await?;
        drop(tx);
        jobs.extend(rows.into_iter().map(JobView::from));
        for job in jobs {
            let now = (job.state, job.done, job.total);
            self.since = self.since.max(job.updated_at);
            let known = self.told.insert(job.id, (job.updated_at, now));
            if known.is_none_or(|(_, before)| before != now) {
                self.waiting.push(job);
            }
        }
        // Taken from its end.
        self.waiting.sort_by_key(|job| std::cmp::Reverse((job.updated_at, job.id)));
        let oldest = self.since - WINDOW;
        self.told.retain(|_, (changed, _)| *changed >= oldest);
        Ok(())
    }
}
