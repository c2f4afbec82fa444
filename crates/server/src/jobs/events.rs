//! `GET /api/v1/collections/{id}/events`: server-sent events about what is under way in a collection: one for each step of each
//! document and archive, within a second of it.
//!
//! Each listener looks at the rows that changed since; whichever node did the work wrote them. The credential and what it may see are
//! looked at again every four seconds; the stream ends with them, and with the server.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::access::{Permission, can};
use domain::{CollectionId, DocumentId, JobId, Time};
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
    round: Round,
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
    let now = caller.ambient().now();
    let mut progress = Progress {
        _place: app.listeners.join(scope.org())?,
        app: app.clone(),
        scope,
        collection: id,
        round: Round::new(now),
        told: BTreeMap::new(),
        waiting: Vec::new(),
    };
    // What is at its end by now is no news; what is under way is told of first.
    loop {
        progress.look().await?;
        // What came to its end since was perhaps seen under way by the look before.
        progress.waiting.retain(|job| !job.state.is_end() || job.updated_at > now);
        if progress.round.is_over() {
            break;
        }
    }
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
        let (mut since, mut after) = self.round.begin(store.ambient().now());
        let mut tx = store.open(&self.scope).read().await?;
        let (mut jobs, mut reached) = (Vec::new(), None);
        for _ in 0..BATCHES {
            let rows = documents::changed_since(&mut tx, self.collection, since, after, BATCH).await?;
            reached = rows.last().map(|last| (last.updated_at, last.id));
            let Some((changed, id)) = reached else { break };
            (since, after) = (changed, Some(id));
            jobs.extend(rows.into_iter().map(JobView::from));
        }
        let rows = imports::changed_since(&mut tx, self.collection, self.round.since - WINDOW, BATCH).await?;
        drop(tx);
        jobs.extend(rows.into_iter().map(JobView::from));
        for job in jobs {
            let now = (job.state, job.done, job.total);
            self.round.saw(job.updated_at);
            let known = self.told.insert(job.id, (job.updated_at, now));
            if known.is_none_or(|(_, before)| before != now) {
                self.waiting.push(job);
            }
        }
        // Taken from its end.
        self.waiting.sort_by_key(|job| std::cmp::Reverse((job.updated_at, job.id)));
        self.round.end(reached);
        let oldest = self.round.since - WINDOW;
        self.told.retain(|_, (changed, _)| *changed >= oldest);
        Ok(())
    }
}

/// How far the documents were looked at. At one moment more of them may change than one look reads, so it goes in rounds of as many looks
/// as it takes; each round begins a window before what the last one saw.
#[derive(Debug)]
struct Round {
    /// What changed before was looked at, but for what became visible late.
    since: Time,
    /// When the round began that is under way.
    began: Time,
    /// The latest change that it saw.
    newest: Time,
    /// The last document that it saw, with when that changed; none when the round is over.
    reached: Option<(Time, DocumentId)>,
}

impl Round {
    fn new(now: Time) -> Self {
        Self { since: now, began: now, newest: now, reached: None }
    }

    /// Where a look begins: after a moment, or at it after an id.
    fn begin(&mut self, now: Time) -> (Time, Option<DocumentId>) {
        if let Some((changed, id)) = self.reached {
            return (changed, Some(id));
        }
        (self.began, self.newest) = (now, self.since);
        (self.since - WINDOW, None)
    }

    /// Notes that something changed then.
    fn saw(&mut self, changed: Time) {
        self.newest = self.newest.max(changed);
    }

    /// Notes the last document of a look, unless there are no more of them: then the round is over.
    fn end(&mut self, reached: Option<(Time, DocumentId)>) {
        self.reached = reached;
        if self.is_over() {
            // What became visible since the round began may lie where it had been by then.
            self.since = self.since.max(self.newest.min(self.began));
        }
    }

    fn is_over(&self) -> bool {
        self.reached.is_none()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::ops::Bound;

    use domain::{Id as _, Uuid};

    use super::*;

    /// Documents by when they changed.
    type Rows = BTreeSet<(Time, DocumentId)>;

    const MOST: usize = 10;

    fn id(number: u128) -> DocumentId {
        DocumentId::from_uuid(Uuid::from_u128(number))
    }

    fn at(seconds: i64) -> Time {
        Time::from_micros(seconds * 1_000_000)
    }

    /// A look as of a listener, but of fewer documents.
    fn look(round: &mut Round, now: Time, rows: &Rows) -> Vec<(Time, DocumentId)> {
        let (since, after) = round.begin(now);
        let from = (since, after.unwrap_or_else(|| id(0)));
        let seen: Vec<_> = rows.range((Bound::Excluded(from), Bound::Unbounded)).take(MOST).copied().collect();
        for (changed, _) in &seen {
            round.saw(*changed);
        }
        round.end(if seen.len() < MOST { None } else { seen.last().copied() });
        seen
    }

    /// The looks of a whole round.
    fn round_of(round: &mut Round, now: Time, rows: &Rows) -> Vec<(Time, DocumentId)> {
        let mut seen = look(round, now, rows);
        while !round.is_over() {
            seen.extend(look(round, now, rows));
        }
        seen
    }

    #[test]
    fn what_changes_after_more_than_one_look_reads_is_seen() {
        let mut rows: Rows = (1..=25).map(|number| (at(100), id(number))).collect();
        let mut round = Round::new(at(90));
        assert_eq!(look(&mut round, at(100), &rows).len(), MOST);
        assert_eq!(look(&mut round, at(100), &rows).len(), MOST);
        assert_eq!(look(&mut round, at(100), &rows).len(), 5);
        assert!(round.is_over());
        for (seconds, number) in [(101, 7), (120, 3)] {
            rows.retain(|(_, other)| *other != id(number));
            rows.insert((at(seconds), id(number)));
            assert_eq!(round_of(&mut round, at(seconds), &rows).last(), Some(&(at(seconds), id(number))));
        }
        assert_eq!(round_of(&mut round, at(121), &rows), [(at(120), id(3))], "what lies far back is not read for ever");
    }

    #[test]
    fn what_becomes_visible_behind_a_long_round_is_seen_by_the_next() {
        let mut rows: Rows = (1..=25).map(|number| (at(100), id(number))).collect();
        let mut round = Round::new(at(90));
        look(&mut round, at(100), &rows);
        rows.insert((at(99), id(30)));
        rows.insert((at(109), id(31)));
        while !round.is_over() {
            assert!(!look(&mut round, at(110), &rows).contains(&(at(99), id(30))), "the round had been there");
        }
        assert!(round_of(&mut round, at(110), &rows).contains(&(at(99), id(30))));
    }
}
