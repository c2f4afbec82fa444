//! Whoever stops waiting, at whatever moment, leaves nothing behind: no open transaction, no tenant on a connection, no connection
//! lost, no writer that never gives way, and nothing half written.

use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use domain::text::TeamName;
use domain::{Id as _, TeamId};
use store::audit::Event;
use store::org::teams::{self, Team};
use store::org::{audits, configs};
use store::{Engine, Scope, Store, Turn};
use testing::TestHouse;

/// A small generator, so that a failure can be repeated by its seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

/// Waits for the work for a while that the dice say, then drops it: after some polls, or after up to four times the usual time, more
/// often short than long.
async fn impatiently<T>(work: impl Future<Output = T>, usual: Duration, dice: &mut Dice) -> Option<T> {
    let (polls, percent) = (dice.roll(20), dice.roll(200).pow(2) / 100);
    let patience = async {
        if polls < 8 {
            for _ in 0..polls {
                tokio::task::yield_now().await;
            }
        } else {
            tokio::time::sleep(usual * u32::try_from(percent).unwrap_or(0) / 100).await;
        }
    };
    let (mut work, mut patience) = (pin!(work), pin!(patience));
    tokio::select! {
        biased;
        done = &mut work => Some(done),
        () = &mut patience => None,
    }
}

/// Writes a team and tells of it; the team's name holds the number.
async fn write(store: &Store, scope: &Scope, number: u64) -> store::Result<TeamId> {
    let mut tx = store.open(scope).begin().await?;
    let now = tx.now();
    let team = Team {
        id: store.ambient().id(),
        parent_id: None,
        name: TeamName::new(&format!("Team {number}")).expect("a name"),
        version: 1,
        created_at: now,
        updated_at: now,
    };
    teams::insert(&mut tx, &team).await?;
    configs::current(&mut tx, scope.user()).await?;
    tx.record(Event::new("team.created", team.id).after(&team)).await?;
    tx.commit().await?;
    Ok(team.id)
}

async fn read(store: &Store, scope: &Scope) -> store::Result<usize> {
    let mut tx = store.open(scope).read().await?;
    let found = teams::list(&mut tx, None, 1000).await?.len();
    configs::current(&mut tx, scope.user()).await?;
    tx.commit().await?;
    Ok(found)
}

async fn read_control(store: &Store) -> store::Result<()> {
    let mut tx = store.begin_control(Turn::Free).await?;
    store::control::installation::set(&mut tx, "cancelled", "perhaps").await?;
    tx.commit().await
}

/// All that can be held at once is there, each transaction in its own organisation.
async fn all_is_free(house: &TestHouse, scopes: &[Scope; 2]) {
    let store = house.store();
    // Half of the eight connections each, or the four readers of each file.
    let mut held = Vec::new();
    for scope in scopes {
        for _ in 0..4 {
            let mut tx = store.open(scope).read().await.expect("a connection is free");
            audits::head(&mut tx).await.expect("reads");
            held.push(tx);
        }
    }
    drop(held);
    for scope in scopes {
        let writing = tokio::time::timeout(Duration::from_secs(1), write(store, scope, u64::MAX));
        let id = writing.await.expect("the writer gives way").expect("writes");
        let mut tx = store.open(scope).begin().await.expect("begins");
        teams::delete(&mut tx, id).await.expect("removed");
        tx.record(Event::new("team.deleted", id)).await.expect("recorded");
        tx.commit().await.expect("committed");
    }
    read_control(store).await.expect("the control database is free");
}

testing::both_stores! {
    async fn a_dropped_transaction_leaves_nothing_behind(house) {
        const ROUNDS: u64 = 600;
        let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
        let scopes = [house.scope(&ann).await, house.scope(&bob).await];
        let store = house.store();
        let seed = u64::from_be_bytes(store.ambient().bytes()) | 1;
        eprintln!("seed {seed}");
        let acknowledged = [AtomicUsize::new(0), AtomicUsize::new(0)];
        let dropped = AtomicUsize::new(0);
        // How long a write takes now, with the others that run on this machine.
        let began = std::time::Instant::now();
        for round in 0..4 {
            write(store, &scopes[0], u64::MAX - 1 - round).await.expect("writes");
        }
        let usual = began.elapsed();
        // Four at a time, so that they meet in the pool and at the writer.
        let runner = async |lane: u64| {
            let mut dice = Dice(seed.wrapping_mul(lane + 3) | 1);
            for round in 0..ROUNDS / 4 {
                let which = usize::from(dice.roll(2) == 1);
                let scope = &scopes[which];
                let finished = match dice.roll(4) {
                    0 => impatiently(read(store, scope), usual, &mut dice).await.map(|done| done.map(drop)),
                    1 => impatiently(read_control(store), usual, &mut dice).await,
                    _ => impatiently(write(store, scope, lane * ROUNDS + round), usual, &mut dice).await.map(|done| {
                        acknowledged[which].fetch_add(usize::from(done.is_ok()), Ordering::SeqCst);
                        done.map(drop)
                    }),
                };
                match finished {
                    None => drop(dropped.fetch_add(1, Ordering::SeqCst)),
                    Some(Ok(()) | Err(store::Error::Busy(_))) => {}
                    Some(Err(error)) => panic!("seed {seed}, lane {lane}, round {round}: {error}"),
                }
                if round % 50 == 49 {
                    all_is_free_for(store, scope).await;
                }
            }
        };
        tokio::join!(runner(0), runner(1), runner(2), runner(3));
        let dropped = dropped.into_inner();
        eprintln!("{dropped} of {ROUNDS} were dropped");
        assert!(dropped > 60, "only {dropped} were dropped half way");
        assert!(dropped < 595, "only {} of {ROUNDS} came to their end", 600 - dropped);
        all_is_free(&house, &scopes).await;
        for (scope, acknowledged) in scopes.iter().zip(acknowledged) {
            let mut tx = store.open(scope).read().await.expect("begins");
            let teams = teams::list(&mut tx, None, 10_000).await.expect("listed");
            assert!(teams.len() >= acknowledged.into_inner(), "an acknowledged team is gone");
            let verified = audits::verify(&mut tx, &[]).await.expect("walked");
            assert_eq!(verified.fault, None);
            // Never one without the other.
            let filter = store::audit::Filter { action: Some("team.created".into()), ..Default::default() };
            let told = audits::list(&mut tx, filter, i64::MAX, 10_000).await.expect("listed");
            for team in &teams {
                assert!(told.iter().any(|entry| entry.object == team.id.to_string()), "{} is not told of", team.id.uuid());
            }
        }
        if house.engine() == Engine::Postgres {
            let owner = house.raw().await;
            let text = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'";
            let idle = async || owner.query_one(text, &[]).await.expect("asked").get::<_, i64>(0);
            // The last reader was dropped a moment ago: its rollback is on its way.
            for _ in 0..100 {
                if idle().await == 0 {
                    return;
                }
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
            panic!("{} transactions were left open", idle().await);
        }
    }
}

async fn all_is_free_for(store: &Store, scope: &Scope) {
    read(store, scope).await.expect("a connection is free");
}

/// The share of one organisation: half of the connections, and the other half goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_organisation_cannot_take_all_connections() {
    let house = TestHouse::postgres().await;
    let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
    let (greedy, other) = (house.scope(&ann).await, house.scope(&bob).await);
    let mut held = Vec::new();
    for _ in 0..4 {
        let mut tx = house.store().open(&greedy).read().await.expect("its share");
        audits::head(&mut tx).await.expect("reads");
        held.push(tx);
    }
    let began = std::time::Instant::now();
    assert!(matches!(house.store().open(&greedy).read().await, Err(store::Error::Busy(_))));
    assert!(began.elapsed() < Duration::from_secs(4), "it is told soon");
    read(house.store(), &other).await.expect("the other goes on");
    drop(held);
    read(house.store(), &greedy).await.expect("and it does, too, after that");
}

/// Who stops waiting in the middle of a statement counts for as long as their connection is not free; and what nobody waits for any more
/// is cancelled.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_share_of_who_stopped_waiting_is_taken_until_the_connection_is_free() {
    let house = TestHouse::postgres().await;
    let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
    let (greedy, other) = (house.scope(&ann).await, house.scope(&bob).await);
    let (owner, watcher) = (house.raw().await, house.raw().await);
    // Whoever waits for the table waits for longer than this looks.
    let patience = format!("ALTER ROLE rowhouse_app IN DATABASE {} SET lock_timeout = '1min'", house.database());
    owner.batch_execute(&patience).await.expect("set");
    let store = house.another_store().await;
    owner.batch_execute("BEGIN; LOCK TABLE org.teams IN ACCESS EXCLUSIVE MODE").await.expect("locked");
    let text = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename = 'rowhouse_app'
                AND wait_event_type = 'Lock'";
    let waiting = async || watcher.query_one(text, &[]).await.expect("asked").get::<_, i64>(0);
    let ask = || {
        let (store, scope) = (store.clone(), greedy.clone());
        tokio::spawn(async move { read(&store, &scope).await })
    };
    let first: Vec<_> = (0..4).map(|_| ask()).collect();
    let under_way = async {
        while waiting().await < 4 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), under_way).await.expect("all of its share waits for the table");
    first.iter().for_each(tokio::task::JoinHandle::abort);
    // It comes again at once: with all the other connections, if those that it does not wait for any more were not its own.
    let again: Vec<_> = (0..4).map(|_| ask()).collect();
    tokio::time::sleep(Duration::from_millis(300)).await;
    again.iter().for_each(tokio::task::JoinHandle::abort);
    let look = async {
        let mut tx = store.open(&other).read().await?;
        audits::head(&mut tx).await.map(drop)
    };
    let looked = tokio::time::timeout(Duration::from_secs(1), look).await;
    looked.expect("a connection is left for the other").expect("reads");
    let ended = async {
        while waiting().await > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), ended).await.expect("cancelled, though the table is not free");
    owner.batch_execute("ROLLBACK").await.expect("unlocked");
    read(&store, &greedy).await.expect("it goes on after that");
}

/// The share of one organisation of the books, which are one file: half of the readers. Flushing needs none of them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_organisation_cannot_take_all_readers_of_the_books() {
    let house = TestHouse::sqlite().await;
    let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
    let (greedy, other) = (house.scope(&ann).await, house.scope(&bob).await);
    let store = house.store();
    let mut held = Vec::new();
    for scope in [&greedy, &greedy] {
        held.push(store.read_ledger(scope).await.expect("its share"));
    }
    assert!(matches!(store.read_ledger(&greedy).await, Err(store::Error::Busy(_))));
    for scope in [&other, &other] {
        held.push(store.read_ledger(scope).await.expect("the other goes on"));
    }
    let flushed = tokio::time::timeout(Duration::from_secs(2), store.flush_ledger()).await;
    flushed.expect("it waits for no reader").expect("flushed");
    drop(store.begin_ledger(&greedy).await.expect("writing is no matter of readers"));
    drop(held);
    drop(store.read_ledger(&greedy).await.expect("and it reads again after that"));
}
