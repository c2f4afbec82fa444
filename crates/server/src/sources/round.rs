//! A round with a source, in the background: what changed is fetched item by item, each a document or a new version of one; what is gone
//! takes its document along.
//!
//! Each item is committed with what became of it, and the cursor with each page: a round that was cut off asks for its page again, finds
//! what it has unchanged, and goes on. A long one is cut off by itself now and then, so that a slow source holds up no other one.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use connectors::pages::Pages;
use connectors::source::{Error, Fetched, Item, Listing, Readers, Source as Connector};
use domain::{CollectionId, Time};
use serde_json::json;
use store::audit::Event;
use store::control::jobs::{self, Job};
use store::control::organisations;
use store::org::knowledge::collections::{self, Collection};
use store::org::knowledge::documents::{self, Document, Fault};
use store::org::knowledge::imports::Outcome;
use store::org::knowledge::sources::{self, Counts, Source, Sync};
use store::org::knowledge::versions;
use store::{Json, Scope, Turn, Tx};

use super::schedule::{self, Admitted};
use super::{SYNC, which};
use crate::App;
use crate::documents::bring::{self, Brought};
use crate::documents::receive::{Desk, visible};
use crate::documents::room::Room;
use crate::http::error::{Problem, Result};
use crate::knowledge::originals;
use crate::knowledge::place::Place;

/// How long a claim lasts; it is prolonged with each item, whose pages take half a minute at the most.
const LEASE: Duration = Duration::from_mins(5);
/// How long a job believes that its reason is yet to be committed; how often it looks for it, and the pause between.
const PATIENCE: Duration = Duration::from_secs(10);
const LOOKS: u32 = 20;
const MOMENT: Duration = Duration::from_millis(20);
/// How often a round is tried that this server failed at, and an item that others changed meanwhile.
const TRIES: i64 = 5;
/// Items that are asked for, and how long it may take, before other organisations have their turn.
const ITEMS: usize = 50;
const SLICE: Duration = Duration::from_mins(1);
/// Items that are taken away at a time.
const BATCH: i64 = 50;

/// What a document is called whose item has no name that can be seen.
pub(super) const UNNAMED: &str = "page";
/// Where documents of sources come from.
const SOURCE: &str = "web";

/// How long a source rests that is due while its organisation cannot change anything.
const IDLE: Duration = Duration::from_hours(1);

/// How work on a round ended.
enum Ended {
    /// Nothing more is to be done.
    Done,
    /// It is not over.
    Later(Duration),
    /// It goes on when others had their turn.
    Yields,
    /// The next one begins by itself.
    Rest(Time),
}

impl Ended {
    fn until(next: Option<Time>) -> Self {
        next.map_or(Self::Done, Self::Rest)
    }
}

/// What a job is to do with its source.
enum Due {
    /// To begin a round, or to go on with one.
    Now(Source),
    /// To begin one that nobody asked for: it is time.
    ByItself(Source),
    /// Nothing yet: when it is time, if ever.
    Not(Option<Time>),
}

/// Claims one source and asks it; says whether there was one.
pub(crate) async fn work(app: &App) -> store::Result<bool> {
    let store = &app.house.store;
    let Some(job) = jobs::take(store, SYNC, LEASE).await? else { return Ok(false) };
    let outcome = sync(app, &job).await;
    let now = store.ambient().now();
    let mut tx = store.begin_control(Turn::Free).await?;
    match outcome {
        Ok(Ended::Done) => jobs::done(&mut tx, &job).await?,
        Ok(Ended::Later(pause)) => jobs::later(&mut tx, &job, now + pause).await?,
        // It did what it was to do: what failed before counts no more.
        Ok(Ended::Yields) => jobs::rest(&mut tx, &job, now).await?,
        Ok(Ended::Rest(next)) => jobs::rest(&mut tx, &job, next).await?,
        Err(problem) if problem.code == "not_found" => jobs::done(&mut tx, &job).await?,
        Err(problem) => {
            tracing::warn!(job = %job.id(), org = %job.org(), attempts = job.attempts(), ?problem, "a round with a source failed");
            let power = u32::try_from(job.attempts().min(8)).unwrap_or(8);
            jobs::later(&mut tx, &job, now + Duration::from_secs(2) * 2_u32.saturating_pow(power)).await?;
        }
    }
    tx.commit().await?;
    Ok(true)
}

async fn sync(app: &App, job: &Job) -> Result<Ended> {
    let store = &app.house.store;
    let scope = store.enter_for(job).await?;
    if !scope.grants().status.admits_writes() {
        return Ok(Ended::Rest(store.ambient().now() + IDLE));
    }
    let (source, by_itself) = match look(app, job, &scope).await? {
        Due::Now(source) => (source, false),
        Due::ByItself(source) => (source, true),
        Due::Not(next) => {
            let waited = store.ambient().now().since(job.created_at());
            let pause = waited.max(MOMENT * LOOKS);
            return Ok(if waited < PATIENCE { Ended::Later(pause) } else { Ended::until(next) });
        }
    };
    let Some(connector) = connect(app, &scope, &source) else {
        return Round::failed(app, &scope, source, fault("unsupported", "This kind of source is not known any more."))
            .await;
    };
    let mut tx = store.open(&scope).read().await?;
    let collection = collections::get(&mut tx, source.collection_id).await?;
    let place = Place::of(&mut tx, collection.project_id).await?;
    let earlier = sources::scheduled(&mut tx, source.id, true).await?;
    drop(tx);
    let source = if by_itself {
        match schedule::admit(app, &scope, source, earlier).await? {
            Admitted::Begins(source) => source,
            Admitted::Rests => return Ok(Ended::Rest(store.ambient().now() + IDLE)),
            Admitted::Ends(source, fault) => return Round::failed(app, &scope, source, fault).await,
        }
    } else {
        source
    };
    if place.archived {
        return Round::failed(app, &scope, source, fault("conflict", "The project is archived; restore it first."))
            .await;
    }
    let org = store.open(&scope);
    let blobs = org.blobs().await?;
    let desk = Desk { org, blobs, room: Room::of(&app.house, scope.org()).await?, free: u64::MAX };
    let mut round = Round { app, job, scope, desk, source, collection, connector };
    match round.all().await {
        Ok(ended) => Ok(ended),
        Err(problem) if job.attempts() >= TRIES && problem.code != "not_found" => {
            let message = "The source could not be asked because of a fault of this server. Begin another round later.";
            let Round { scope, source, .. } = round;
            Round::failed(app, &scope, source, fault("internal", message)).await
        }
        Err(problem) => Err(problem),
    }
}

/// What speaks to a source.
fn connect(app: &App, scope: &Scope, source: &Source) -> Option<Box<dyn Connector>> {
    let other = app.connectors.as_ref().and_then(|connectors| connectors.open(&source.settings.0));
    other.or_else(|| Some(Box::new(Pages::new(app.models.outside_for(scope.org()), which(source)?))))
}

/// What is to be done with the source that a job is about; a moment is waited for its being committed.
async fn look(app: &App, job: &Job, scope: &Scope) -> store::Result<Due> {
    let mut next = None;
    for _ in 0..LOOKS {
        // Before it is read: what is read then holds at this time.
        let now = app.house.store.ambient().now();
        let mut tx = app.house.store.open(scope).read().await?;
        let found = sources::find(&mut tx, job.source()).await?;
        drop(tx);
        match found {
            Some(source) if matches!(source.status, Sync::Queued | Sync::Syncing) => return Ok(Due::Now(source)),
            Some(source) if source.next_sync_at.is_some_and(|at| at <= now) => {
                return Ok(Due::ByItself(source));
            }
            found => next = found.and_then(|source| source.next_sync_at),
        }
        tokio::time::sleep(MOMENT).await;
    }
    Ok(Due::Not(next))
}

/// A round with a source.
pub(super) struct Round<'a> {
    pub(super) app: &'a App,
    job: &'a Job,
    pub(super) scope: Scope,
    desk: Desk,
    pub(super) source: Source,
    pub(super) collection: Collection,
    connector: Box<dyn Connector>,
}

impl Round<'_> {
    /// Ends a round that cannot go on.
    async fn failed(app: &App, scope: &Scope, mut source: Source, fault: Fault) -> Result<Ended> {
        (source.status, source.fault) = (Sync::Failed, Some(Json(fault)));
        source.failures += 1;
        // Before it is noted: told twice it is one letter, noted without it nobody would ever be told.
        schedule::tell(app, scope, &source).await?;
        Self::over(app, scope, &source).await
    }

    /// Writes down that the round is over; says when the next one begins by itself.
    async fn over(app: &App, scope: &Scope, source: &Source) -> Result<Ended> {
        let mut tx = app.house.store.open(scope).begin().await?;
        let after = sources::over(&mut tx, source).await?;
        tx.commit().await?;
        Ok(Ended::until(after.and_then(|source| source.next_sync_at)))
    }

    async fn all(&mut self) -> Result<Ended> {
        // While the source was looked at the claim may have run out, and another begun the same round.
        if !self.prolong().await? {
            return Ok(Ended::Done);
        }
        if self.source.status != Sync::Syncing {
            self.source.status = Sync::Syncing;
            self.source.round += 1;
            (self.source.counts, self.source.fault) = (Json(Counts::default()), None);
            if !self.connector.remembers() {
                self.source.cursor = None;
            }
            if !self.note().await? {
                return Ok(Ended::Done);
            }
        }
        match self.connector.groups().await {
            Ok(groups) => self.regroup(&groups).await?,
            Err(Error::Later(pause)) => return Ok(Ended::Later(pause)),
            Err(Error::Failed(message)) => return self.unanswered(&message).await,
        }
        let (mut whole, mut items_left, begun) = (true, ITEMS, Instant::now());
        loop {
            let listing = match self.connector.changed(self.source.cursor.as_deref()).await {
                Ok(listing) => listing,
                Err(Error::Later(pause)) => return Ok(Ended::Later(pause)),
                Err(Error::Failed(message)) => return self.unanswered(&message).await,
            };
            if !self.may_change().await? {
                return Ok(Ended::Rest(self.app.house.store.ambient().now() + IDLE));
            }
            let Listing { items, gone, cursor, more, whole: names_all } = listing;
            whole &= names_all;
            let mut seen = HashSet::new();
            for item in items.into_iter().filter(|item| seen.insert(item.key.clone())) {
                if let Some(pause) = self.item(&item).await? {
                    return Ok(Ended::Later(pause));
                }
                items_left = items_left.saturating_sub(1);
                if !self.note().await? || !self.prolong().await? {
                    return Ok(Ended::Done);
                }
                if !self.may_change().await? {
                    return Ok(Ended::Rest(self.app.house.store.ambient().now() + IDLE));
                }
            }
            for key in gone {
                self.remove(&key).await?;
            }
            self.source.cursor = cursor;
            if !more {
                break;
            }
            if !self.note().await? {
                return Ok(Ended::Done);
            }
            // Here alone: within a listing an item that is refused would be asked for again.
            if items_left == 0 || begun.elapsed() >= SLICE {
                return Ok(Ended::Yields);
            }
        }
        if whole {
            self.prune().await?;
        }
        self.tidy().await?;
        self.source.status = Sync::Done;
        self.source.synced_at = Some(self.app.house.store.ambient().now());
        self.source.failures = 0;
        Self::over(self.app, &self.scope, &self.source).await
    }

    /// Ends the round, for the source gives no answer.
    async fn unanswered(&self, message: &str) -> Result<Ended> {
        let fault = fault("upstream_failed", message);
        Self::failed(self.app, &self.scope, self.source.clone(), fault).await
    }

    /// Writes down how far it is; says whether the source is still there.
    async fn note(&self) -> Result<bool> {
        let mut tx = self.app.house.store.open(&self.scope).begin().await?;
        let there = sources::note(&mut tx, &self.source).await?;
        tx.commit().await?;
        Ok(there)
    }

    /// Whether anything may change in the organisation, which may have been suspended or closed since the round began.
    async fn may_change(&self) -> Result<bool> {
        let mut tx = self.app.house.store.read_control().await?;
        Ok(organisations::get(&mut tx, self.scope.org()).await?.status.admits_writes())
    }

    async fn prolong(&self) -> Result<bool> {
        let mut tx = self.app.house.store.begin_control(Turn::Free).await?;
        let mine = jobs::prolong(&mut tx, self.job, LEASE).await?;
        tx.commit().await?;
        Ok(mine)
    }

    /// Brings an item; gives how long the source asks to be left alone.
    async fn item(&mut self, item: &Item) -> Result<Option<Duration>> {
        let store = &self.app.house.store;
        let mut tx = store.open(&self.scope).read().await?;
        let known = sources::item(&mut tx, self.source.id, &item.key).await?;
        drop(tx);
        // One that this round did before it was cut off.
        if known.as_ref().is_some_and(|known| known.round == self.source.round) {
            return Ok(None);
        }
        let (into, known) = self.place(item, known).await?;
        let mark = known.as_ref().and_then(|known| known.mark.clone());
        match self.connector.fetch(&item.key, mark.as_deref()).await {
            Err(Error::Later(pause)) => return Ok(Some(pause)),
            Err(Error::Failed(message)) => self.refuse(known, &message, item).await?,
            Ok(Fetched::Gone) => self.remove(&item.key).await?,
            Ok(Fetched::Unchanged) => match known {
                Some(known) => {
                    self.count(into, |counts| counts.unchanged += 1);
                    self.came_again(known).await?;
                }
                None => self.refuse(None, "It gave nothing.", item).await?,
            },
            Ok(Fetched::Content { bytes, .. }) if bytes.is_empty() => {
                self.refuse(known, "It is empty (zero bytes).", item).await?;
            }
            Ok(Fetched::Content { bytes, mark }) => {
                match self.bring(&item.key, known.as_ref(), into, bytes, mark).await {
                    Ok(Outcome::Added) => self.count(into, |counts| counts.added += 1),
                    Ok(Outcome::Changed) => self.count(into, |counts| counts.changed += 1),
                    Ok(Outcome::Unchanged | Outcome::Refused) => self.count(into, |counts| counts.unchanged += 1),
                    Err(problem) if problem.code == "entitlement" || problem.code == "too_large" => {
                        self.refuse(known, &problem.message, item).await?;
                    }
                    Err(problem) => return Err(problem),
                }
            }
        }
        Ok(None)
    }

    async fn bring(
        &self,
        key: &str,
        known: Option<&sources::Item>,
        into: CollectionId,
        bytes: bytes::Bytes,
        mark: Option<String>,
    ) -> Result<Outcome> {
        let store = &self.app.house.store;
        let written = self.desk.bytes(bytes).await?;
        let name = name(key);
        let brought = Brought {
            collection: into,
            name: &name,
            title: &name,
            source: SOURCE,
            tags: Json(Vec::new()),
            written: &written,
            user: self.source.made_by,
            manages: false,
            item: Some(bring::Item { source: self.source.id, key, was: known.map(|known| known.document_id) }),
        };
        let mut outcome = Err(Problem::internal("it was not tried"));
        for _ in 0..TRIES {
            outcome = match brought.bring(store, &self.scope, &self.desk).await {
                Ok((mut tx, outcome, document_id)) => {
                    let item = sources::Item {
                        key: key.to_owned(),
                        document_id,
                        mark: mark.clone(),
                        round: self.source.round,
                    };
                    self.hold(&mut tx, &item).await?;
                    tx.commit().await.map(|()| outcome).map_err(Problem::from)
                }
                Err(problem) => Err(problem),
            };
            if !matches!(&outcome, Err(problem) if problem.code == "busy" || problem.code == "stale") {
                break;
            }
        }
        store.wake_workers();
        if outcome.is_err() {
            originals::forget(store, &self.scope, vec![written.hash.clone()]).await;
        }
        outcome
    }

    /// Counts what became of something that everybody who sees the collection may know of.
    fn count(&mut self, at: CollectionId, count: impl FnOnce(&mut Counts)) {
        if at == self.source.collection_id {
            count(&mut self.source.counts.0);
        }
    }

    /// An item that could not be brought: what was brought of it before stays, and grows older.
    async fn refuse(&mut self, known: Option<sources::Item>, why: &str, item: &Item) -> Result<()> {
        if item.readers == Readers::Collection {
            self.source.counts.0.refused += 1;
            self.source.fault = Some(Json(fault("refused", &format!("{}: {why}", item.key))));
        } else {
            // Whoever sees the source need not be among its readers.
            tracing::info!(org = %self.scope.org(), source = %self.source.id, "an item with readers of its own could not be brought");
        }
        match known {
            Some(known) => {
                let tx = self.app.house.store.open(&self.scope).begin().await?;
                self.seen(tx, known).await
            }
            None => Ok(()),
        }
    }

    /// An item that is as it was: its document is as fresh as a new one.
    async fn came_again(&self, known: sources::Item) -> Result<()> {
        let mut tx = self.app.house.store.open(&self.scope).begin().await?;
        documents::freshen(&mut tx, known.document_id).await?;
        self.seen(tx, known).await
    }

    /// Commits with an item that is still named.
    async fn seen(&self, mut tx: Tx, known: sources::Item) -> Result<()> {
        self.hold(&mut tx, &sources::Item { round: self.source.round, ..known }).await?;
        Ok(tx.commit().await?)
    }

    /// Notes which document an item is. One that was another item, too, is called after the one that is left.
    async fn hold(&self, tx: &mut Tx, item: &sources::Item) -> store::Result<()> {
        // It may have been taken away meanwhile.
        sources::get(tx, self.source.id).await?;
        sources::seen(tx, self.source.id, item).await?;
        let (before, name) = (documents::get(tx, item.document_id).await?, name(&item.key));
        if !self.may_have_brought(&before)
            || before.name == name
            || sources::is_another(tx, before.id, self.source.id, &item.key).await?
        {
            return Ok(());
        }
        documents::rename(tx, &before, &name).await?;
        let after = documents::get(tx, before.id).await?;
        let detail = json!({ "collection": before.collection_id, "source": self.source.id });
        tx.record(Event::new("document.updated", before.id).before(&before).after(&after).detail(detail)).await
    }

    /// Takes away the document of an item that is gone.
    async fn remove(&mut self, key: &str) -> Result<()> {
        let mut tx = self.app.house.store.open(&self.scope).read().await?;
        let gone = sources::gone(&mut tx, self.source.id, key).await?;
        drop(tx);
        match gone {
            Some(gone) => self.take_away(&gone).await,
            None => Ok(()),
        }
    }

    /// Takes away the documents of all items that the round did not name.
    async fn prune(&mut self) -> Result<()> {
        loop {
            let mut tx = self.app.house.store.open(&self.scope).read().await?;
            let gone = sources::unseen(&mut tx, self.source.id, self.source.round, BATCH).await?;
            drop(tx);
            if gone.is_empty() {
                return Ok(());
            }
            for gone in gone {
                self.take_away(&gone).await?;
            }
        }
    }

    /// Whether a document may be one that this source brought: of the web, and added by whoever set the source up. Any other is with its
    /// items for its content alone. Somebody brought it by hand, or with another source, so it changes, moves and goes with none of them.
    pub(super) fn may_have_brought(&self, document: &Document) -> bool {
        document.source == SOURCE && document.made_by == self.source.made_by
    }

    /// Takes away an item, and its document with the last item that it is. What somebody brought by hand stays.
    async fn take_away(&mut self, gone: &sources::Gone) -> Result<()> {
        let (store, id) = (&self.app.house.store, gone.document_id);
        let mut tx = store.open(&self.scope).begin().await?;
        // Without its source it would stay.
        sources::get(&mut tx, self.source.id).await?;
        let Some(document) = documents::find(&mut tx, id).await? else { return Ok(()) };
        if sources::let_go(&mut tx, self.source.id, gone).await? || !self.may_have_brought(&document) {
            return Ok(tx.commit().await?);
        }
        let hashes = versions::originals(&mut tx, id).await?;
        documents::delete(&mut tx, id).await?;
        let detail = json!({ "collection": document.collection_id, "source": self.source.id });
        tx.record(Event::new("document.deleted", id).before(&document).detail(detail)).await?;
        tx.commit().await?;
        self.count(document.collection_id, |counts| counts.removed += 1);
        originals::forget(store, &self.scope, hashes).await;
        originals::rinse(store, &self.scope).await;
        Ok(())
    }
}

/// What the document of an item is called as a file.
pub(super) fn name(key: &str) -> String {
    visible(key).unwrap_or_else(|| UNNAMED.into())
}

pub(super) fn fault(code: &str, message: &str) -> Fault {
    Fault { code: code.to_owned(), message: message.to_owned() }
}
