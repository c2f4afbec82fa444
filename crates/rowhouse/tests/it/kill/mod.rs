#![expect(clippy::print_stderr, reason = "the seed, and how often it was killed, are worth knowing when it fails")]
//! `kill -9` at any moment, on both engines: teams, invitations, memberships, keys, accounts and organisations come and go, master and
//! signing keys are changed and organisations are erased meanwhile. What was in doubt is asked for once more, under the same
//! `Idempotency-Key`; afterwards everything is exactly as it was acknowledged, none of it half or twice, the audit chains are whole,
//! and each receipt of an erasure holds.
//!
//! `ROWHOUSE_TEST_SEED` repeats a run, as far as the machine does.

mod afterwards;
mod house;
mod work;

use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use domain::Ambient;
use domain::ambient::{Random, SeededRandom};
use store::Engine;
use testing::Server;
use testing::process::{self, free_port};

use self::house::World;
use self::work::{Receipts, Worker};
use crate::{BINARY, written};

/// Acknowledged operations, at the least.
const OPERATIONS: usize = 1_000;
/// Kills, at the least.
const KILLS: usize = 10;
/// People who work at the same time.
const WORKERS: usize = 4;
/// However slow the machine is, the test ends, and fails.
const LIMIT: Duration = Duration::from_secs(280);

/// Chance that repeats for the same seed.
struct Dice(SeededRandom);

impl Dice {
    fn new(seed: u64) -> Self {
        Self(SeededRandom::new(seed))
    }

    /// A number below another.
    fn roll(&self, below: usize) -> usize {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        usize::try_from(u64::from_le_bytes(bytes) % below as u64).expect("small")
    }
}

fn seed() -> u64 {
    let drawn = || u64::from_le_bytes(Ambient::system().bytes());
    std::env::var("ROWHOUSE_TEST_SEED").map_or_else(|_| drawn(), |text| text.parse().expect("a number"))
}

#[test]
fn a_kill_at_any_moment_loses_nothing_that_was_acknowledged_in_files() {
    kill_again_and_again(Engine::Sqlite);
}

#[test]
fn a_kill_at_any_moment_loses_nothing_that_was_acknowledged_on_postgres() {
    kill_again_and_again(Engine::Postgres);
}

fn kill_again_and_again(engine: Engine) {
    let seed = seed();
    eprintln!("ROWHOUSE_TEST_SEED={seed}");
    let dice = Dice::new(seed);
    let mut world = World::new(engine, free_port());
    let mut workers: Vec<Worker> =
        (0..WORKERS).map(|number| Worker::new(&mut world, number, seed.wrapping_add(number as u64 + 1))).collect();
    let mut receipts = Receipts::default();
    let (mut rounds, mut rotations, began) = (0, 0, Instant::now());
    let acknowledged = |workers: &[Worker]| workers.iter().map(|worker| worker.acknowledged).sum::<usize>();
    while acknowledged(&workers) < OPERATIONS || rounds < KILLS {
        assert!(began.elapsed() < LIMIT, "{} acknowledged, {rounds} kills in {LIMIT:?}", acknowledged(&workers));
        world.condemn();
        let server = Server::start(BINARY, world.folder(), world.port, &world.arguments());
        rotations += usize::from(round(&world, &mut workers, &mut receipts, server, &dice));
        rounds += 1;
    }
    eprintln!(
        "{rounds} kills, {} operations, {rotations} changes of keys and {} erasures acknowledged in {:?}",
        acknowledged(&workers),
        receipts.seen.len(),
        began.elapsed()
    );

    let server = Server::start(BINARY, world.folder(), world.port, &world.arguments());
    for worker in &mut workers {
        worker.settle(&server.address);
    }
    world.wait_for_erasures(&server.address);
    afterwards::check(&world, &workers, &receipts, &server);
    assert_eq!(server.terminate().0, Some(0));
    world.erase_the_rest();
    afterwards::check_logs(&world, &workers);
    let commands: [&[&str]; 6] = [
        &["audit", "verify"],
        &["erasure", "verify"],
        &["doctor"],
        &["keys", "rotate-master"],
        &["keys", "rotate-master"],
        &["doctor"],
    ];
    for command in commands {
        let output = process::run(BINARY, world.folder(), &world.command(command));
        assert!(output.status.success(), "{command:?}: {}", written(&output));
    }
    world.check_receipts();
}

/// Lets everybody work for a while, begins to change keys, and kills both a moment later; says whether the keys were changed by then.
fn round(world: &World, workers: &mut [Worker], receipts: &mut Receipts, server: Server, dice: &Dice) -> bool {
    let (stop, address) = (AtomicBool::new(false), server.address.clone());
    let rotation = ["rotate-master", "rotate-signing"][dice.roll(2)];
    // Every third time it dies in its first moments, while it erases.
    let longest = if dice.roll(3) == 0 { 60 } else { 2_400 };
    let patience = Duration::from_millis(dice.roll(longest) as u64);
    let hurry = Duration::from_millis(dice.roll(200) as u64);
    thread::scope(|scope| {
        for worker in workers {
            let (stop, address) = (&stop, &address);
            scope.spawn(move || worker.work(stop, address));
        }
        scope.spawn(|| receipts.read(&stop, &address, &world.operator));
        thread::sleep(patience);
        let mut command = process::command(BINARY, world.folder(), &world.command(&["keys", rotation]));
        let mut command = command.stdout(Stdio::null()).spawn().expect("the binary starts");
        thread::sleep(hurry);
        let ended = command.try_wait().expect("it can be asked");
        let _ = command.kill();
        server.kill();
        stop.store(true, Ordering::SeqCst);
        let _ = command.wait();
        ended.is_some_and(|status| status.success())
    })
}
