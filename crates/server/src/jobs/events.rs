//! `GET /api/v1/collections/{id}/events`: server-sent events about what is under way in a collection: one for each step of each
//! document and archive, within a second of it.
//!
//! Each listener looks at the rows that changed since; whichever node did the work wrote them. The credential and what it may see are
//! looked at again every four seconds; the stream ends with them, and with the server.

use std::collections::BTreeMap;
use std::time::Duration;

use aide::OperationOutput;
use aide::generate::GenContext;
use aide::openapi::{Operation, Response as Described};
use axum::body::Bytes;
use axum::response::{IntoResponse, Response};
use domain::access::{Permission, can};
use domain::{CollectionId, JobId, Time};
use futures_util::stream;
use store::org::knowledge::{documents, imports};
use store::{Origin, Scope};
use tokio::time::Instant;

use super::listeners::Place;
use super::{JobState, JobView};
use crate::App;
use crate::http::body::Path;
use crate::http::caller::{Local, Shown};
use crate::http::error::{Problem, Result};
use crate::http::events::{ALIVE, described, event, streamed};
use crate::knowledge::sight;
use crate::usage::Accepted;

/// How often the rows are looked at.
const PAUSE: Duration = Duration::from_millis(500);
/// How far back: the clocks of nodes may differ by less, and a row may become visible as much later than it says.
const WINDOW: Duration = Duration::from_secs(5);
/// How often the caller's rights are looked at again.
const AGAIN: Duration = Duration::from_secs(4);
/// How often something is sent at least, so that everybody on the way knows that the stream lives.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Rows read at a time, and how many times in one look.
const BATCH: i64 = 500;
const BATCHES: usize = 20;

/// How far a job was when it was last told of.
type Told = (JobState, i64, Option<i64>);

/// A stream of events.
pub(crate) struct Events {
    app: App,
    shown: Shown,
    scope: Scope,
    collection: CollectionId,
    since: Time,
    /// What was told of rows that changed within the window: by job, when the row changed and how far the job was.
    told: BTreeMap<JobId, (Time, Told)>,
    waiting: Vec<JobView>,
    checked: Instant,
    spoken: Instant,
    begun: bool,
    _place: Place,
}

pub(crate) async fn events(
    local: Local<can::KnowledgeRead>,
    shown: Shown,
    accepted: Accepted,
    Path(id): Path<CollectionId>,
) -> Result<Events> {
    let caller = local.each();
    let mut tx = caller.read().await?;
    sight::find(&mut tx, caller.scope(), Permission::KnowledgeRead, id).await?;
    drop(tx);
    if !accepted.events {
        return Err(Problem::new("invalid_request", "This is a stream: ask for it with `Accept: text/event-stream`."));
    }
    let (app, scope, now) = (caller.app().clone(), caller.scope().clone(), Instant::now());
    let mut events = Events {
        _place: app.listeners.join(scope.org())?,
        app,
        shown,
        scope,
        collection: id,
        since: caller.ambient().now(),
        told: BTreeMap::new(),
        waiting: Vec::new(),
        checked: now,
        spoken: now,
        begun: false,
    };
    // What is at its end by now is no news; what is under way is told of first.
    events.look().await?;
    events.waiting.retain(|job| !job.state.is_end());
    Ok(events)
}

impl Events {
    /// What is sent next; none at the end.
    async fn next(&mut self) -> Option<String> {
        if !std::mem::replace(&mut self.begun, true) {
            return Some(": listening\n\n".into());
        }
        loop {
            if self.app.is_draining() {
                return None;
            }
            // Looked at before anything is sent, so a reader who was slow to read gets nothing from after their rights ended.
            if self.checked.elapsed() >= AGAIN && !self.may_go_on().await {
                return None;
            }
            if let Some(job) = self.waiting.pop() {
                self.spoken = Instant::now();
                return Some(event("job", &job));
            }
            if self.spoken.elapsed() >= HEARTBEAT {
                self.spoken = Instant::now();
                return Some(ALIVE.into());
            }
            if self.look().await.is_err() {
                return None;
            }
            if self.waiting.is_empty() {
                tokio::time::sleep(PAUSE).await;
            }
        }
    }

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

    async fn may_go_on(&mut self) -> bool {
        let origin: &Origin = self.scope.origin();
        let Ok(scope) = self.shown.again(&self.app, self.scope.org(), origin).await else { return false };
        let Ok(mut tx) = self.app.house.store.open(&scope).read().await else { return false };
        let seen = sight::find(&mut tx, &scope, Permission::KnowledgeRead, self.collection).await.is_ok();
        self.checked = Instant::now();
        seen
    }
}

impl IntoResponse for Events {
    fn into_response(self) -> Response {
        streamed(stream::unfold(self, async |mut events| {
            let text = events.next().await?;
            Some((Ok(Bytes::from(text)), events))
        }))
    }
}

impl OperationOutput for Events {
    type Inner = String;
    fn inferred_responses(_: &mut GenContext, _: &mut Operation) -> Vec<(Option<u16>, Described)> {
        described("A stream of events `job`, each with a job as it is now.")
    }
}
