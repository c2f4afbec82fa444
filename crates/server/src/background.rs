//! What goes on without a request: deliveries, half-made organisations, the end of closed ones and of accounts, expired things, notes
//! of refusals, warnings of keys that end and of limits that are nearly used up, webhooks, master keys that were added, signed heads of the
//! audit chains, files that nobody uses.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use domain::OrgId;
use knowledge::intake::{EMBED, READ, REEMBED};
use store::control::{mails, refusals, sessions, throttles, tickets};
use store::idempotency::KEPT;
use store::{Store, Turn};
use tokio::task::JoinSet;

use crate::App;
use crate::collections::retention;
use crate::documents::unpack;
use crate::knowledge::originals;
use crate::sources::{SYNC, round};

/// Organisations for which models elsewhere are asked at the same time: their servers may be slow.
const ELSEWHERE: usize = 4;
/// Sources that are asked at the same time.
const ROUNDS: usize = 2;
/// Files that go into the bucket in one round.
const FREEZES: usize = 1000;
/// Organisations with deliveries that are listed at a time, and the longest that one which cannot be opened is left alone.
const DELIVERIES: i64 = 100;
const LONGEST_REST: Duration = Duration::from_mins(1);
/// How long an organisation's file stays open that nobody uses.
const IDLE: Duration = Duration::from_mins(10);

/// The tasks; they end when this is dropped.
#[derive(Debug)]
pub struct Background(JoinSet<()>);

impl Background {
    /// Ends the tasks, and waits until they have ended.
    pub async fn stop(mut self) {
        self.0.shutdown().await;
    }
}

/// Starts all of them.
#[must_use]
pub fn start(app: &App) -> Background {
    let mut tasks = JoinSet::new();
    tasks.spawn(deliver(app.clone()));
    tasks.spawn(write_notes(app.clone()));
    tasks.spawn(crate::alerts::run(app.clone()));
    tasks.spawn(crate::documents::fullness::run(app.clone()));
    tasks.spawn(crate::webhooks::telling::run(app.clone()));
    tasks.spawn(every(app.clone(), Duration::from_secs(10), "finishing organisations", async |app| {
        tenancy::orgs::finish_all(&app.house).await.map(drop).map_err(|error| error.to_string())
    }));
    tasks.spawn(every(app.clone(), Duration::from_mins(1), "erasing", async |app| {
        tenancy::probes::sweep(&app.house).await.map_err(|error| error.to_string())?;
        tenancy::erasure::organisations(&app.house).await.map_err(|error| error.to_string())?;
        tenancy::erasure::people(&app.house).await.map(drop).map_err(|error| error.to_string())
    }));
    tasks.spawn(every(app.clone(), Duration::from_mins(1), "warning of keys that end", async |app| {
        tenancy::keys::warn_expiring(&app.house).await.map(drop).map_err(|error| error.to_string())
    }));
    tasks.spawn(every(app.clone(), Duration::from_mins(1), "reading the master key file", async |app| {
        app.house.store.refresh_master_keys().await.map_err(|error| error.to_string())
    }));
    tasks.spawn(every(app.clone(), Duration::from_mins(1), "signing the heads of audit chains", async |app| {
        app.house.store.sign_heads().await.map(drop).map_err(|error| error.to_string())
    }));
    tasks.spawn(every(app.clone(), Duration::from_mins(1), "closing idle files", async |app| {
        let store = &app.house.store;
        let since = store.ambient().now() - IDLE;
        store.close_idle_files(since).await.map(drop).map_err(|error| error.to_string())
    }));
    tasks.spawn(keep(app.clone()));
    tasks.spawn(every(app.clone(), Duration::from_mins(10), "sweeping", async |app| {
        app.tidy();
        sweep(app).await.map_err(|error| error.to_string())
    }));
    let retainer = app.clone();
    tasks.spawn(take_in(app.clone(), retention::RETAIN, move || {
        let app = retainer.clone();
        async move { retention::work(&app).await }
    }));
    if let Some(intake) = &app.intake {
        let reembed = [REEMBED; ELSEWHERE];
        for kind in [READ, READ, EMBED].into_iter().chain(reembed) {
            let intake = intake.clone();
            tasks.spawn(take_in(app.clone(), kind, move || {
                let intake = intake.clone();
                async move { intake.work(kind).await }
            }));
        }
        for _ in 0..ROUNDS {
            let asker = app.clone();
            tasks.spawn(take_in(app.clone(), SYNC, move || {
                let app = asker.clone();
                async move { round::work(&app).await }
            }));
        }
        let unpacker = app.clone();
        tasks.spawn(take_in(app.clone(), unpack::UNPACK, move || {
            let app = unpacker.clone();
            async move { unpack::work(&app).await }
        }));
    }
    Background(tasks)
}

/// Repeats something; a failure is logged and tried again at the next turn.
async fn every(app: App, pause: Duration, what: &'static str, work: impl AsyncFn(&App) -> Result<(), String>) {
    loop {
        if let Err(error) = work(&app).await {
            tracing::error!(%error, "{what} failed and will be tried again");
        }
        tokio::time::sleep(pause).await;
    }
}

/// Does the work on documents, one after the other, for as long as it runs.
async fn take_in<F: Future<Output = store::Result<bool>>>(app: App, kind: &'static str, work: impl Fn() -> F) {
    let store = &app.house.store;
    loop {
        match work().await {
            Ok(true) => continue,
            Ok(false) => {}
            Err(error) => tracing::error!(%error, kind, "work on documents could not be claimed"),
        }
        // What other nodes queued, and what was put back until later, is found by looking.
        let _ = tokio::time::timeout(Duration::from_secs(1), store.work_queued()).await;
    }
}

async fn deliver(app: App) {
    let store = &app.house.store;
    let mut resting = HashMap::new();
    loop {
        if let Err(error) = deliver_all(store, &mut resting).await {
            tracing::error!(%error, "the queue of deliveries could not be read");
        }
        let _ = tokio::time::timeout(Duration::from_secs(1), store.delivery_queued()).await;
    }
}

/// An organisation for which nothing can be written: when that is tried again, and how often it failed on end.
struct Rest {
    until: Instant,
    failures: u32,
}

/// Writes what is queued for all organisations. Those that cannot be opened are tried ever more seldom, and keep none of the others
/// waiting, however many they are.
async fn deliver_all(store: &Store, resting: &mut HashMap<OrgId, Rest>) -> store::Result<()> {
    let (mut after, mut awaiting) = (None, HashSet::new());
    loop {
        let page = store.awaiting_delivery(after, DELIVERIES).await?;
        let Some(last) = page.last().copied() else { break };
        after = Some(last);
        for org in page {
            awaiting.insert(org);
            if resting.get(&org).is_some_and(|rest| Instant::now() < rest.until) {
                continue;
            }
            let Err(error) = store.deliver(org).await else {
                resting.remove(&org);
                continue;
            };
            // Of a damaged store the operator was told.
            if !matches!(error, store::Error::Damaged { .. }) {
                tracing::error!(%org, %error, "what is queued for an organisation could not be written");
            }
            let failures = resting.get(&org).map_or(0, |rest| rest.failures);
            let pause = Duration::from_secs(1 << failures.min(6)).min(LONGEST_REST);
            resting.insert(org, Rest { until: Instant::now() + pause, failures: failures.saturating_add(1) });
        }
    }
    resting.retain(|org, _| awaiting.contains(org));
    Ok(())
}

async fn write_notes(app: App) {
    let Some(mut notes) = app.take_notes() else { return };
    let mut batch = Vec::new();
    while notes.recv_many(&mut batch, 200).await > 0 {
        let written = async {
            let mut tx = app.house.store.begin_control(Turn::Free).await?;
            for (request_id, refusal) in &batch {
                refusals::insert(&mut tx, request_id, &format!("{refusal:?}"), &refusal.to_string()).await?;
            }
            tx.commit().await
        };
        if let Err(error) = written.await {
            tracing::error!(%error, "notes of refusals could not be written");
        }
        batch.clear();
        // Strangers cause these notes: a flood of them gets one write every so often.
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Looks after what is kept: first for originals that nothing needs, then, again and again, for files that nobody uses. One after the
/// other, since a file that is looked into is in use.
async fn keep(app: App) {
    sweep_originals(&app).await;
    every(app, Duration::from_mins(10), "moving files that nobody uses", async |app| {
        let store = &app.house.store;
        store.settle_moves().await.map_err(|error| error.to_string())?;
        let Some(cold_after) = app.cold_after else { return Ok(()) };
        let since = store.ambient().now() - cold_after;
        store.freeze_unused(since, FREEZES).await.map(drop).map_err(|error| error.to_string())
    })
    .await;
}

/// Once, at the start: what a server that was cut off kept and never came to need. One organisation after the other; a cold one was swept
/// while it was warm, and is not woken for it.
async fn sweep_originals(app: &App) {
    let store = app.house.store.clone();
    let listed = tokio::task::spawn_blocking(move || store.with_blobs()).await;
    let orgs = match listed {
        Ok(Ok(orgs)) => orgs,
        Ok(Err(error)) => return tracing::error!(%error, "the originals could not be listed"),
        Err(error) => return tracing::error!(%error, "the originals could not be listed"),
    };
    let store = &app.house.store;
    for org in orgs {
        let swept = store.keep_house(org, async {
            match store.serve(org).await {
                Ok(scope) => {
                    originals::sweep(store, &scope).await;
                    originals::rinse(store, &scope).await;
                }
                Err(store::Error::NotFound(_)) => {
                    if let Err(error) = store.remove_latecomers(org).await {
                        tracing::warn!(%org, %error, "originals of an organisation that was erased stay for now");
                    }
                }
                // One that cannot be opened has told the operator elsewhere.
                Err(_) => {}
            }
        });
        if let Err(error) = swept.await {
            return tracing::error!(%error, "the originals could not be swept");
        }
    }
}

/// Removes what nobody needs any more: ended sessions, spent links, mails that were sent. The background does it now and then.
/// # Errors
/// As the database.
pub async fn sweep(app: &App) -> store::Result<()> {
    let store = &app.house.store;
    let mut tx = store.begin_control(Turn::Free).await?;
    let now = store.ambient().now();
    let before = now - Duration::from_hours(7 * 24);
    sessions::sweep(&mut tx, before).await?;
    tickets::sweep(&mut tx, before).await?;
    throttles::sweep(&mut tx, before).await?;
    // Whoever tells something twice under one id does so within hours of the first time.
    mails::sweep(&mut tx, before).await?;
    tx.sweep_answers(now - KEPT).await?;
    tx.commit().await
}
