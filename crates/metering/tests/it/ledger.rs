//! Holds, settles and releases: what fits runs, what does not is refused, and nothing is counted twice or lost.

use std::sync::Arc;
use std::time::Duration;

use domain::limits::{Amounts, Counted, Level, LimitKey, Span};
use domain::{Id, LimitId, Time};
use metering::{Books, Held, Limit, Path, Refused, Settings, balance};
use store::Scope;
use store::ledger::balances::{self, Balance};
use store::ledger::entries::{self, Charge, Filter, Outcome, Search};
use store::ledger::holds::{self, Hold, Purpose};
use store::ledger::journeys::Writes;
use testing::{TestHouse, both_stores};

use crate::dice::Dice;

fn settings() -> Settings {
    Settings { lease: Duration::from_secs(1), ..Settings::default() }
}

fn books(house: &TestHouse) -> Books {
    Books::open(house.store().clone(), settings()).0
}

/// A program of its own that keeps the books: it can die, and then nothing of it goes on.
struct Program {
    runtime: tokio::runtime::Runtime,
    books: Books,
}

impl Program {
    fn start(house: &TestHouse) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let books = {
            let _inside = runtime.enter();
            books(house)
        };
        Self { runtime, books }
    }

    fn die(self, held: impl IntoIterator<Item = Held>) {
        self.runtime.shutdown_background();
        held.into_iter().for_each(std::mem::forget);
    }
}

fn dollars(micros: i64) -> Amounts {
    Amounts::of(Counted::Cost, micros)
}

fn charge(micros: i64) -> Charge {
    Charge { amounts: dollars(micros), ..Charge::nothing(Outcome::Ok) }
}

/// A limit of the whole organisation that counts from the beginning of time.
fn limit(id: u128, cap: i64) -> Limit {
    Limit {
        key: LimitKey { id: LimitId::from_uuid(domain::id::Uuid::from_u128(id)), counted: Counted::Cost },
        level: Level::Organization,
        subject: String::new(),
        span: Span { from: Time::from_micros(0), until: None },
        cap,
        hard: true,
        exchange: None,
        counts: Filter::default(),
        teams: None,
        alerts: Arc::new([50, 100]),
    }
}

fn path(limits: &[Limit]) -> Path {
    limits.into()
}

async fn hold(books: &Books, house: &TestHouse, scope: &Scope, micros: i64, path: &Path) -> Result<Held, Refused> {
    let purpose = Purpose { operation: "chat".into(), user_id: Some(scope.user()), ..Purpose::default() };
    books.hold(scope, (house.store().ambient().id(), 1), purpose, dollars(micros), path.clone()).await
}

async fn look(books: &Books, scope: &Scope, limit: &Limit) -> (i64, i64) {
    let balance = books.look(scope, std::slice::from_ref(limit)).await.expect("looked")[0];
    (balance.held, balance.settled)
}

/// The counter and the rows say the same.
async fn is_derived(house: &TestHouse, scope: &Scope, limit: &Limit) -> Balance {
    let mut tx = house.store().read_ledger(scope).await.expect("begun");
    let mut page = tx.page(scope).expect("its page");
    let counter = balances::find(&mut page, limit.key, limit.span.from).await.expect("found").expect("there is one");
    let derived = balance::derive(&mut page, limit).await.expect("derived");
    assert_eq!(counter, derived);
    derived
}

both_stores! {
    async fn a_batch_in_few_journeys_writes_what_single_statements_would_and_sees_no_other_organisation(house) {
        let (anns, bobs) = (house.scope(&house.sign_up("Ann").await).await, house.scope(&house.sign_up("Bob").await).await);
        let ambient = house.store().ambient();
        let began = |scope: &Scope, micros| Hold {
            id: ambient.id(),
            attempt: 1,
            at: ambient.now(),
            holder: ambient.id(),
            purpose: Purpose { operation: "chat".into(), user_id: Some(scope.user()), ..Purpose::default() },
            amounts: dollars(micros),
        };
        let (kept, ended, used) = (began(&anns, 5), began(&anns, 7), charge(6));
        let (first, second) = (limit(1, 10), LimitKey { counted: Counted::Tokens, ..limit(1, 10).key });
        let (then, later) = (Time::from_micros(0), Time::from_micros(1));
        let lease = Duration::from_mins(1);
        let none = Writes { holds: vec![], lease, entries: vec![], passed: vec![], balances: vec![] };
        let mut tx = house.store().begin_ledger(&anns).await.expect("begun");
        let mut page = tx.page(&anns).expect("its page");
        let balance = Balance { held: 12, settled: 1 };
        let begun = Writes {
            holds: vec![&kept, &ended],
            passed: vec![(first.key, then, 50)],
            balances: vec![(first.key, then, balance), (second, then, Balance::default())],
            ..none
        };
        let written = page.write_batch(&begun).await.expect("written");
        assert_eq!((written.all_new, written.news), (true, true));
        tx.commit().await.expect("committed");
        // What stands there already is neither new nor news.
        let mut tx = house.store().begin_ledger(&anns).await.expect("begun");
        let again = Writes { balances: vec![(first.key, then, Balance { held: 11, settled: 2 })], ..begun };
        let written = tx.page(&anns).expect("its page").write_batch(&again).await.expect("written");
        assert_eq!((written.all_new, written.news), (false, false));
        drop(tx);
        // Another organisation finds none of it, and ends nothing of it.
        let (wanted, ends) = ([(first.key, then), (second, then), (second, later)], [(ended.id, 1), (ended.id, 2)]);
        let mut tx = house.store().begin_ledger(&bobs).await.expect("begun");
        let (found, gone) = tx.page(&bobs).expect("its page").find_and_end(&wanted, &ends).await.expect("found");
        assert_eq!((found.len(), gone.len()), (0, 0));
        tx.commit().await.expect("committed");
        let mut tx = house.store().begin_ledger(&anns).await.expect("begun");
        let mut page = tx.page(&anns).expect("its page");
        let (mut found, gone) = page.find_and_end(&wanted, &ends).await.expect("found");
        found.sort_by_key(|counter| counter.counted.as_str());
        let found: Vec<_> = found.iter().map(|counter| (counter.counted, counter.starts_at, counter.held, counter.settled)).collect();
        assert_eq!(found, [(Counted::Cost, then, 12, 1), (Counted::Tokens, then, 0, 0)]);
        assert_eq!(gone, [false]);
        let ends = Writes { entries: vec![(&ended, &used)], ..none };
        assert!(page.write_batch(&ends).await.expect("written").all_new);
        tx.commit().await.expect("committed");
        let mut tx = house.store().read_ledger(&anns).await.expect("begun");
        let mut page = tx.page(&anns).expect("its page");
        let left = holds::list(&mut page).await.expect("read");
        assert_eq!(left, [(kept, false)]);
        let rows = entries::list(&mut page, &Search::default(), None, 10).await.expect("rows");
        assert_eq!(rows.iter().map(|row| (row.id, row.cost_micros)).collect::<Vec<_>>(), [(ended.id, 6)]);
    }

    async fn of_two_hundred_that_race_exactly_those_run_that_fit(house) {
        let books = books(&house);
        let (wide, narrow) = (limit(1, 5_000_000), limit(2, 1_000_000));
        let paths = [("Ann", path(std::slice::from_ref(&narrow))), ("Bob", path(&[wide, narrow.clone()])), ("Cy", path(&[limit(3, 1_000_000), narrow]))];
        for (name, binding) in paths {
            let scope = house.scope(&house.sign_up(name).await).await;
            let tight = binding.iter().find(|limit| limit.cap == 1_000_000).expect("a limit").clone();
            let calls = (0..200).map(|_| async {
                let held = hold(&books, &house, &scope, 100_000, &binding).await?;
                tokio::task::yield_now().await;
                held.settle(charge(100_000)).await.expect("settled");
                Ok::<_, Refused>(())
            });
            let ran = futures_util::future::join_all(calls).await;
            assert_eq!(ran.iter().filter(|answer| answer.is_ok()).count(), 10);
            let short = ran.into_iter().find_map(Result::err).expect("others were refused");
            let Refused::Short(shortage) = short else { panic!("{short}") };
            assert_eq!((shortage.limit, shortage.missing, shortage.needed), (tight.key.id, 100_000, 100_000));
            assert_eq!(look(&books, &scope, &tight).await, (0, 1_000_000));
            is_derived(&house, &scope, &tight).await;
        }
    }

    async fn what_is_refused_takes_nothing_anywhere(house) {
        let ann = house.sign_up("Ann").await;
        let scope = house.scope(&ann).await;
        let books = books(&house);
        let (first, second) = (limit(1, 100), limit(2, 10));
        let both = path(&[first.clone(), second.clone()]);
        hold(&books, &house, &scope, 11, &both).await.expect_err("the second has no room");
        assert_eq!(look(&books, &scope, &first).await, (0, 0));
        let held = hold(&books, &house, &scope, 10, &both).await.expect("it fits");
        assert_eq!(look(&books, &scope, &first).await, (10, 0));
        hold(&books, &house, &scope, 1, &both).await.expect_err("the first call holds all");
        held.settle(charge(4)).await.expect("settled");
        assert_eq!((look(&books, &scope, &first).await, look(&books, &scope, &second).await), ((0, 4), (0, 4)));
        hold(&books, &house, &scope, 6, &both).await.expect("what was not used came back");
    }

    async fn a_hold_that_is_dropped_is_released(house) {
        let ann = house.sign_up("Ann").await;
        let scope = house.scope(&ann).await;
        let books = books(&house);
        let only = path(&[limit(1, 10)]);
        drop(hold(&books, &house, &scope, 10, &only).await.expect("it fits"));
        let again = hold(&books, &house, &scope, 10, &only).await.expect("it was released");
        // Nobody waits for this one: it is taken, found without an owner, and given back.
        drop(again);
        let purpose = Purpose::default();
        let waiting = books.hold(&scope, (house.store().ambient().id(), 1), purpose, dollars(10), only.clone());
        drop(tokio::time::timeout(Duration::ZERO, waiting).await);
        while look(&books, &scope, &only[0]).await.0 > 0 {
            tokio::task::yield_now().await;
        }
        // Whoever is told of it comes after the books.
        while books.held() > 0 {
            tokio::task::yield_now().await;
        }
    }

    async fn a_strict_settle_comes_after_its_flush(house) {
        let ann = house.sign_up("Ann").await;
        let scope = house.scope(&ann).await;
        // Nothing else flushes in the time of this test.
        let strict = Settings { strict: true, flush: Duration::from_hours(1), ..settings() };
        let books = Books::open(house.store().clone(), strict).0;
        let only = path(&[limit(1, 100)]);
        let files = house.store().ledger_needs_flushing();
        let flushes = || testing::metric("rowhouse_ledger_flushes_total");
        for _ in 0..3 {
            let held = hold(&books, &house, &scope, 10, &only).await.expect("it fits");
            let before = flushes();
            held.settle(charge(10)).await.expect("settled");
            // A commit of PostgreSQL is a flush of its own.
            assert!((flushes() - before - f64::from(u8::from(files))).abs() < 0.1);
        }
        if !files {
            return;
        }
        // A disk that fails: nobody is told that all is well, and what was written stands.
        let log = house.data().join("ledger.db-wal");
        let kept = log.with_extension("kept");
        let held = hold(&books, &house, &scope, 10, &only).await.expect("it fits");
        std::fs::rename(&log, &kept).expect("moved");
        std::os::unix::fs::symlink(&log, &log).expect("it points at itself");
        let failed = held.settle(charge(10)).await.expect_err("the flush failed");
        std::fs::rename(&kept, &log).expect("moved back");
        assert!(matches!(failed, store::Error::Disk(_)), "{failed}");
        assert_eq!(testing::alarms("ledger_flush_failed").len(), 1);
        assert_eq!(look(&books, &scope, &only[0]).await, (0, 40));
        is_derived(&house, &scope, &only[0]).await;
    }

    async fn an_end_that_cannot_be_written_stops_no_other_and_holds_nothing_for_ever(house) {
        let ann = house.sign_up("Ann").await;
        let scope = house.scope(&ann).await;
        let quick = Settings { lease: Duration::from_secs(2), ..settings() };
        let books = Books::open(house.store().clone(), quick).0;
        let only = path(&[limit(1, 100)]);
        let [first, second] = [hold(&books, &house, &scope, 10, &only).await, hold(&books, &house, &scope, 20, &only).await];
        // No call ends before it began: the database refuses the row.
        let impossible = Charge { latency_micros: -1, ..charge(10) };
        let (failed, settled) = tokio::join!(first.expect("it fits").settle(impossible), second.expect("it fits").settle(charge(20)));
        settled.expect("settled");
        failed.expect_err("there is no such row");
        assert_eq!(testing::alarms("ledger_settle_lost").len(), 1);
        let began = std::time::Instant::now();
        while look(&books, &scope, &only[0]).await != (0, 20) {
            assert!(began.elapsed() < Duration::from_secs(20), "the hold is stuck");
            tokio::task::yield_now().await;
        }
        let again = hold(&books, &house, &scope, 80, &only).await.expect("80 are left");
        again.settle(charge(80)).await.expect("settled");
        assert_eq!(is_derived(&house, &scope, &only[0]).await, Balance { held: 0, settled: 100 });
    }

    async fn a_bill_above_the_hold_is_charged_in_full(house) {
        let ann = house.sign_up("Ann").await;
        let scope = house.scope(&ann).await;
        let books = books(&house);
        let only = path(&[limit(1, 10)]);
        let held = hold(&books, &house, &scope, 10, &only).await.expect("it fits");
        held.settle(charge(25)).await.expect("settled");
        assert_eq!(look(&books, &scope, &only[0]).await, (0, 25));
        hold(&books, &house, &scope, 1, &only).await.expect_err("there is less than nothing left");
    }

    async fn an_attempt_is_held_once_and_ends_once(house) {
        let ann = house.sign_up("Ann").await;
        let scope = house.scope(&ann).await;
        let books = books(&house);
        let only = path(&[limit(1, 100)]);
        let id = house.store().ambient().id();
        let first = books.hold(&scope, (id, 1), Purpose::default(), dollars(10), only.clone()).await.expect("held");
        let again = books.hold(&scope, (id, 1), Purpose::default(), dollars(10), only.clone()).await;
        assert!(matches!(again, Err(Refused::Store(error)) if matches!(*error, store::Error::Taken(_))));
        let second = books.hold(&scope, (id, 2), Purpose::default(), dollars(10), only.clone()).await.expect("held");
        first.settle(charge(3)).await.expect("settled");
        second.settle(charge(4)).await.expect("settled");
        assert_eq!(look(&books, &scope, &only[0]).await, (0, 7));
    }

    async fn what_a_dead_program_held_comes_back(house) {
        let ann = house.sign_up("Ann").await;
        let scope = house.scope(&ann).await;
        let only = path(&[limit(1, 10)]);
        let dead = Program::start(&house);
        let held = hold(&dead.books, &house, &scope, 10, &only).await.expect("it fits");
        dead.die([held]);
        let alive = books(&house);
        let began = std::time::Instant::now();
        let back = loop {
            if let Ok(held) = hold(&alive, &house, &scope, 10, &only).await {
                break held;
            }
            assert!(began.elapsed() < Duration::from_secs(20), "the hold is stuck");
            tokio::task::yield_now().await;
        };
        back.settle(charge(6)).await.expect("settled");
        let mut tx = house.store().read_ledger(&scope).await.expect("begun");
        let rows = entries::list(&mut tx.page(&scope).expect("its page"), &Search::default(), None, 10).await.expect("rows");
        drop(tx);
        let outcomes: Vec<_> = rows.iter().map(|row| (row.outcome, row.cost_micros, row.held_micros)).collect();
        assert_eq!(outcomes, [(Outcome::Ok, 6, 10), (Outcome::Lost, 0, 10)]);
        assert_eq!(is_derived(&house, &scope, &only[0]).await, Balance { held: 0, settled: 6 });
    }

    async fn many_short_calls_leave_a_short_log_that_a_long_one_survives_in(house) {
        // There is a log of holds beside the embedded engine alone.
        if !house.store().ledger_needs_flushing() {
            return;
        }
        let ann = house.sign_up("Ann").await;
        let scope = house.scope(&ann).await;
        let only = path(&[limit(1, 1_000_000)]);
        let program = Program::start(&house);
        let long = hold(&program.books, &house, &scope, 10, &only).await.expect("it fits");
        let log = house.data().join("ledger.holds");
        let rounds = 60;
        let mut longest = 0;
        for _ in 0..rounds {
            let calls = (0..200).map(|_| async {
                hold(&program.books, &house, &scope, 1, &only).await.expect("it fits").settle(charge(1)).await.expect("settled");
            });
            futures_util::future::join_all(calls).await;
            longest = longest.max(std::fs::metadata(&log).map_or(0, |log| log.len()));
        }
        assert!(longest < 5 << 20, "{longest} bytes");
        assert!(longest > 3 << 20, "it never grew: {longest} bytes");
        program.die([long]);
        let alive = books(&house);
        while look(&alive, &scope, &only[0]).await != (0, 200 * rounds) {
            tokio::task::yield_now().await;
        }
        let mut tx = house.store().read_ledger(&scope).await.expect("begun");
        let rows = entries::list(&mut tx.page(&scope).expect("its page"), &Search::default(), None, 20_000).await.expect("rows");
        let lost: Vec<_> = rows.iter().filter(|row| row.outcome == Outcome::Lost).map(|row| row.held_micros).collect();
        assert_eq!((lost, rows.len()), (vec![10], usize::try_from(200 * rounds + 1).expect("few")));
    }

    async fn a_limit_that_is_new_counts_what_was_used_before_it(house) {
        let ann = house.sign_up("Ann").await;
        let scope = house.scope(&ann).await;
        let books = books(&house);
        let old = path(&[limit(1, 100)]);
        hold(&books, &house, &scope, 30, &old).await.expect("it fits").settle(charge(30)).await.expect("settled");
        let under_way = hold(&books, &house, &scope, 50, &old).await.expect("it fits");
        let new = path(&[limit(2, 90)]);
        hold(&books, &house, &scope, 11, &new).await.expect_err("30 are used and 50 held");
        hold(&books, &house, &scope, 10, &new).await.expect("just so").settle(charge(10)).await.expect("settled");
        drop(under_way);
    }

    async fn a_threshold_is_noted_once(house) {
        let ann = house.sign_up("Ann").await;
        let scope = house.scope(&ann).await;
        let (books, mut news) = Books::open(house.store().clone(), settings());
        let only = path(&[limit(1, 100)]);
        for micros in [49, 2, 10] {
            hold(&books, &house, &scope, micros, &only).await.expect("it fits").settle(charge(micros)).await.expect("settled");
        }
        assert_eq!(news.recv().await.expect("told").org(), scope.org());
        assert!(news.try_recv().is_err(), "and not again");
        // Whoever heard of it may have failed to tell.
        books.sweep(&scope).await.expect("swept");
        assert_eq!(news.recv().await.expect("told").org(), scope.org(), "it waits to be told");
        let mut tx = house.store().read_ledger(&scope).await.expect("begun");
        let alerts = store::ledger::alerts::untold(&mut tx.page(&scope).expect("its page")).await.expect("read");
        assert_eq!(alerts.iter().map(|alert| alert.percent).collect::<Vec<_>>(), [50]);
    }

    async fn another_organisation_neither_pays_nor_sees(house) {
        let [ann, bob] = [house.sign_up("Ann").await, house.sign_up("Bob").await];
        let (acme, beta) = (house.scope(&ann).await, house.scope(&bob).await);
        let books = books(&house);
        // The same limit id in both: still two limits.
        let only = path(&[limit(1, 10)]);
        hold(&books, &house, &acme, 10, &only).await.expect("it fits").settle(charge(10)).await.expect("settled");
        assert_eq!(look(&books, &beta, &only[0]).await, (0, 0));
        let held = hold(&books, &house, &beta, 10, &only).await.expect("there is room");
        assert_eq!(look(&books, &acme, &only[0]).await, (0, 10));
        books.forget(&beta).await.expect("forgotten");
        assert_eq!(look(&books, &acme, &only[0]).await, (0, 10));
        let mut tx = house.store().read_ledger(&beta).await.expect("begun");
        let rows = entries::list(&mut tx.page(&beta).expect("its page"), &Search::default(), None, 10).await.expect("rows");
        assert!(rows.is_empty());
        drop(tx);
        drop(held);
    }

    async fn random_operations_never_pass_a_cap_and_leave_counters_that_follow_from_the_rows(house) {
        let ann = house.sign_up("Ann").await;
        let scope = house.scope(&ann).await;
        for seed in 0..4_u64 {
            let mut random = Dice(seed * 7919 + 1);
            let id = u128::from(seed) * 10;
            let limits = [limit(id + 101, 1000), limit(id + 102, 700), limit(id + 103, 300)];
            let limits = limits.map(|limit| Limit { span: Span { from: house.store().ambient().now(), until: None }, ..limit });
            let mut program = Program::start(&house);
            let all = path(&limits);
            let mut held: Vec<(Held, i64)> = Vec::new();
            for _ in 0..120 {
                match random.roll(10) {
                    0..=4 => {
                        let amount = i64::try_from(random.roll(120)).expect("small");
                        if let Ok(got) = hold(&program.books, &house, &scope, amount, &all).await {
                            held.push((got, amount));
                        }
                    }
                    5..=7 if !held.is_empty() => {
                        let (one, most) = held.swap_remove(random.roll(held.len()));
                        let used = if most == 0 { 0 } else { i64::try_from(random.roll(usize::try_from(most).expect("small") + 1)).expect("small") };
                        one.settle(charge(used)).await.expect("settled");
                    }
                    8 if !held.is_empty() => drop(held.swap_remove(random.roll(held.len()))),
                    9 if random.roll(10) == 0 => {
                        let next = Program::start(&house);
                        std::mem::replace(&mut program, next).die(held.drain(..).map(|(one, _)| one));
                    }
                    _ => {}
                }
                for limit in &limits {
                    let mut tx = house.store().read_ledger(&scope).await.expect("begun");
                    let mut page = tx.page(&scope).expect("its page");
                    if let Some(Balance { held, settled }) = balances::find(&mut page, limit.key, limit.span.from).await.expect("read") {
                        assert!(held >= 0 && settled + held <= limit.cap, "seed {seed}: {settled} + {held} of {}", limit.cap);
                    }
                }
            }
            for (one, _) in held {
                one.settle(charge(0)).await.expect("settled");
            }
            program.books.sweep(&scope).await.expect("swept");
            // What a dead program held may have run out just now, and the counters with it: this asks for them again.
            hold(&program.books, &house, &scope, 0, &all).await.expect("nothing fits").settle(charge(0)).await.expect("settled");
            for limit in &limits {
                is_derived(&house, &scope, limit).await;
            }
            program.die([]);
        }
    }
}
