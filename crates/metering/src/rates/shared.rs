//! What was taken, counted on a Redis or Valkey server for all nodes, and what happens while that is away.
//!
//! All keys of a call name its organisation, between the braces that Redis Cluster hashes by, and consist of ids and closed names
//! alone: no tenant can make one that is another's. A slot has a lease, so that a node that died gives its slots back.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use domain::id::Uuid;
use domain::{HolderId, Id, OrgId};
use tokio::sync::Notify;

use super::local::Ask;
use super::rule::{Bound, Place};
use super::wire::{Address, Lost, Reply, Wire, command};
use crate::books::locked;

/// How long an answer is waited for before a node goes on alone.
const PATIENCE: Duration = Duration::from_millis(300);
/// How long connecting may take, and how long until it is tried again.
const CONNECT: Duration = Duration::from_secs(2);
const AGAIN: Duration = Duration::from_millis(500);
/// How often a node says that it lives and prolongs its slots, and how long both hold without that.
const BEAT: Duration = Duration::from_secs(5);
const LEASE: Duration = Duration::from_secs(20);
/// How many slots are prolonged at a time.
const CHUNK: usize = 500;

const TAKE: &str = include_str!("take.lua");
/// Notes that a node lives and says how many do.
const ALIVE: &str = "
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('ZADD', KEYS[1], now + tonumber(ARGV[2]), ARGV[1])
redis.call('PEXPIRE', KEYS[1], math.ceil(tonumber(ARGV[2]) / 1000) + 1000)
return redis.call('ZCARD', KEYS[1])";

/// Where nodes share their counts.
#[derive(Debug, Clone)]
pub struct Sharing {
    /// The server.
    pub address: Address,
    /// What all keys begin with.
    pub prefix: String,
}

impl Sharing {
    /// Whether the server takes what it would be sent, in words.
    /// # Errors
    /// Why it does not.
    pub async fn probe(&self) -> Result<String, String> {
        let lost = |why: Lost| format!("{:?}: {why}", self.address);
        let wire = Wire::connect(&self.address, CONNECT).await.map_err(lost)?;
        for script in [TAKE, ALIVE] {
            wire.call(command(&["SCRIPT", "LOAD", script]), CONNECT).await.map_err(lost)?;
        }
        Ok(format!("{:?} answers and takes scripts", self.address))
    }
}

/// A connection with the scripts it knows.
struct Line {
    wire: Wire,
    take: String,
    alive: String,
}

pub(super) struct Shared {
    sharing: Sharing,
    node: HolderId,
    line: Mutex<Option<Arc<Line>>>,
    lost: Notify,
    /// How many nodes lived when they could last be counted.
    nodes: AtomicU64,
    /// Slots that calls of this node hold. Whoever sends a word about one holds this lock, so that the words arrive in order.
    live: Mutex<HashMap<Uuid, (OrgId, Vec<Ask>)>>,
}

/// What one place is to be told.
pub(super) enum Word<'a> {
    /// So many pieces, less when below zero, and what this node took while it was alone.
    Cell { place: &'a Place, limit: u64, cost: i64, carried: u64 },
    /// A slot of so many is taken, or kept.
    Slot { place: &'a Place, limit: u64 },
    /// A slot is given back.
    Back { place: &'a Place },
}

impl<'a> Word<'a> {
    pub(super) fn of(ask: &'a Ask, carried: u64) -> Self {
        match ask.bound {
            Bound::Rate(rate) => {
                let cost = i64::try_from(ask.cost).unwrap_or(i64::MAX);
                Self::Cell { place: &ask.place, limit: rate.limit(), cost, carried }
            }
            Bound::Slots(limit) => Self::Slot { place: &ask.place, limit },
        }
    }
}

/// Whether words are a question.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Take,
    Set,
}

impl Shared {
    pub(super) fn start(sharing: Sharing, node: HolderId) -> Arc<Self> {
        let shared = Arc::new(Self {
            sharing,
            node,
            line: Mutex::default(),
            lost: Notify::new(),
            nodes: AtomicU64::new(1),
            live: Mutex::default(),
        });
        tokio::spawn(beat(Arc::downgrade(&shared)));
        shared
    }

    /// Whether the server answers.
    pub(super) fn is_there(&self) -> bool {
        locked(&self.line).is_some()
    }

    /// How many nodes share the limits while the server is away.
    pub(super) fn nodes(&self) -> u64 {
        self.nodes.load(Ordering::Relaxed).max(1)
    }

    /// Asks for everything or nothing. Gives whether it was granted and how each place stands; nothing while the server is away.
    pub(super) async fn take(&self, org: OrgId, pass: Uuid, words: &[Word<'_>]) -> Option<(bool, Vec<u64>)> {
        let line = locked(&self.line).clone()?;
        let answer = line.wire.call(self.encode(&line, org, pass, Mode::Take, words), PATIENCE).await;
        let read = answer.and_then(|reply| read(&reply, words.len()).ok_or(Lost::Refused(format!("{reply:?}"))));
        match read {
            Ok(read) => Some(read),
            Err(why) => {
                self.give_up(&line, &why);
                None
            }
        }
    }

    /// Tells something that is no question. What does not arrive is made good by leases and by time.
    fn tell(&self, org: OrgId, pass: Uuid, words: &[Word<'_>]) {
        if let Some(line) = locked(&self.line).clone() {
            line.wire.tell(self.encode(&line, org, pass, Mode::Set, words));
        }
    }

    /// Keeps prolonging the slots of a call.
    pub(super) fn keep(&self, org: OrgId, pass: Uuid, slots: Vec<Ask>) {
        locked(&self.live).insert(pass, (org, slots));
    }

    /// Ends a call: gives slots back and corrects cells.
    pub(super) fn leave(&self, org: OrgId, pass: Uuid, words: &[Word<'_>]) {
        let mut live = locked(&self.live);
        live.remove(&pass);
        if !words.is_empty() {
            self.tell(org, pass, words);
        }
    }

    fn key(&self, org: OrgId, place: &Place) -> String {
        let (org, subject) = (org.uuid().simple(), place.subject.simple());
        let (prefix, counts, level) = (&self.sharing.prefix, place.counts.as_str(), place.level);
        format!("{prefix}:{{{org}}}:{counts}:{level}:{subject}:{}", place.reach.as_str())
    }

    fn encode(&self, line: &Line, org: OrgId, pass: Uuid, mode: Mode, words: &[Word<'_>]) -> Vec<u8> {
        let mut arguments = vec!["EVALSHA".to_owned(), line.take.clone(), words.len().to_string()];
        arguments.extend(words.iter().map(|word| match word {
            Word::Cell { place, .. } | Word::Slot { place, .. } | Word::Back { place } => self.key(org, place),
        }));
        let mode = if mode == Mode::Take { "take" } else { "set" };
        arguments.extend([mode.to_owned(), pass.simple().to_string(), LEASE.as_micros().to_string()]);
        for word in words {
            match word {
                Word::Cell { limit, cost, carried, .. } => {
                    arguments.extend(["c".to_owned(), limit.to_string(), cost.to_string(), carried.to_string()]);
                }
                Word::Slot { limit, .. } => arguments.extend(["s".to_owned(), limit.to_string(), "1".to_owned()]),
                Word::Back { .. } => arguments.extend(["s", "0", "0"].map(str::to_owned)),
            }
        }
        command(&arguments)
    }

    /// Goes on alone, until the next beat finds the server again.
    fn give_up(&self, line: &Arc<Line>, why: &Lost) {
        let mut current = locked(&self.line);
        if current.as_ref().is_some_and(|current| Arc::ptr_eq(current, line)) {
            *current = None;
            drop(current);
            self.note_away(why);
            self.lost.notify_one();
        }
    }

    fn note_away(&self, why: &Lost) {
        metrics::gauge!("rowhouse_rates_shared").set(0.0);
        metrics::counter!("rowhouse_alarms_total", "alarm" => "rates_alone").increment(1);
        tracing::error!(
            alarm = "rates_alone", server = ?self.sharing.address, %why, nodes = self.nodes(),
            "rate limits cannot be shared: each node keeps to its share of them until the server is back"
        );
    }

    /// Connects if need be, says that this node lives, and prolongs its slots.
    pub(super) async fn meet(&self) -> Result<(), Lost> {
        let known = locked(&self.line).clone();
        let is_new = known.is_none();
        let line = match known {
            Some(line) => line,
            None => Arc::new(self.open().await?),
        };
        let met = match self.say_alive(&line).await {
            Ok(()) => self.prolong(&line).await,
            failed => failed,
        };
        match &met {
            // Only now may others ask: the server knows the slots that are held.
            Ok(()) if is_new => {
                *locked(&self.line) = Some(line);
                metrics::gauge!("rowhouse_rates_shared").set(1.0);
                tracing::info!(server = ?self.sharing.address, nodes = self.nodes(), "rate limits are shared");
            }
            Ok(()) => {}
            Err(why) => self.give_up(&line, why),
        }
        met
    }

    async fn open(&self) -> Result<Line, Lost> {
        let wire = Wire::connect(&self.sharing.address, CONNECT).await?;
        let load = async |script: &str| match wire.call(command(&["SCRIPT", "LOAD", script]), CONNECT).await? {
            Reply::Text(name) => Ok(name),
            other => Err(Lost::Refused(format!("{other:?}"))),
        };
        let (take, alive) = (load(TAKE).await?, load(ALIVE).await?);
        Ok(Line { wire, take, alive })
    }

    async fn say_alive(&self, line: &Line) -> Result<(), Lost> {
        let (key, node) = (format!("{}:nodes", self.sharing.prefix), self.node.uuid().simple().to_string());
        let words = ["EVALSHA", &line.alive, "1", &key, &node, &LEASE.as_micros().to_string()];
        let reply = line.wire.call(command(&words), CONNECT).await?;
        let nodes = reply.number().ok_or_else(|| Lost::Refused(format!("{reply:?}")))?;
        self.nodes.store(nodes, Ordering::Relaxed);
        Ok(())
    }

    async fn prolong(&self, line: &Line) -> Result<(), Lost> {
        let passes: Vec<Uuid> = locked(&self.live).keys().copied().collect();
        for chunk in passes.chunks(CHUNK) {
            self.prolong_some(line, chunk);
            line.wire.call(command(&["PING"]), CONNECT).await?;
        }
        Ok(())
    }

    fn prolong_some(&self, line: &Line, passes: &[Uuid]) {
        let held = locked(&self.live);
        for pass in passes {
            let Some((org, slots)) = held.get(pass) else { continue };
            let words: Vec<Word<'_>> = slots.iter().map(|ask| Word::of(ask, 0)).collect();
            line.wire.tell(self.encode(line, *org, *pass, Mode::Set, &words));
        }
    }
}

fn read(reply: &Reply, places: usize) -> Option<(bool, Vec<u64>)> {
    let Reply::List(list) = reply else { return None };
    let (granted, standings) = list.split_first()?;
    let standings: Option<Vec<u64>> = standings.iter().map(Reply::number).collect();
    Some((granted.number()? == 1, standings.filter(|standings| standings.len() == places)?))
}

async fn beat(shared: Weak<Shared>) {
    let mut was_there = true;
    loop {
        let Some(shared) = shared.upgrade() else { return };
        let met = shared.meet().await;
        if let Err(why) = &met
            && std::mem::replace(&mut was_there, false)
            && shared.nodes() == 1
        {
            // It was never there: nobody else has said so yet.
            shared.note_away(why);
        }
        was_there |= met.is_ok();
        let pause = if met.is_ok() { BEAT } else { AGAIN };
        let _ = tokio::time::timeout(pause, shared.lost.notified()).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rates::cell::{Cell, HIGHEST, Rate, Verdict};
    use domain::Time;

    /// The script with the test's time in place of the server's.
    fn at_a_given_time() -> String {
        let given = TAKE.replace("redis.call('TIME')", "{ math.floor(ARGV[#ARGV] / 1000000), ARGV[#ARGV] % 1000000 }");
        assert_ne!(given, TAKE);
        given
    }

    #[tokio::test]
    async fn the_script_and_the_function_say_the_same() {
        let url = std::env::var("ROWHOUSE_TEST_REDIS_URL").expect("run scripts/services start, and read its env");
        let wire = Wire::connect(&url.parse().expect("an address"), CONNECT).await.expect("connected");
        let mut seed = 7_u64;
        let mut roll = |below: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 16) % below
        };
        let key = format!("test-script-{:?}", domain::Ambient::system().bytes::<8>());
        for limit in [1, 7, 60, 1_000, 999_983, HIGHEST] {
            let (rate, key) = (Rate::per_minute(limit), format!("{key}-{limit}"));
            let (mut cell, mut now) = (Cell::default(), 1_764_000_000_000_000_u64);
            for _ in 0..150 {
                now = if roll(20) == 0 { now - roll(90_000_000) } else { now + roll(20_000_000) };
                let (mode, cost) = match roll(4) {
                    0 => ("set", i64::try_from(roll(limit * 2)).expect("small") - i64::try_from(limit).expect("small")),
                    _ => ("take", i64::try_from(roll(limit.div_ceil(3)) + 1).expect("small")),
                };
                let words = ["EVAL", &at_a_given_time(), "1", &key, mode, "pass", "1", "c"].map(str::to_owned);
                let rest = [limit.to_string(), cost.to_string(), "0".into(), now.to_string()];
                let reply = wire.call(command(&[&words[..], &rest[..]].concat()), CONNECT).await.expect("answered");
                let (granted, owed) = read(&reply, 1).expect("an answer");
                let time = Time::from_micros(i64::try_from(now).expect("small"));
                let fits = if mode == "set" {
                    cell = rate.correct(cell, time, cost);
                    true
                } else if let Verdict::Fits(after) = rate.take(cell, time, cost.unsigned_abs()) {
                    cell = after;
                    true
                } else {
                    // What does not fit writes nothing; the script may note the time, which changes nothing either.
                    cell = rate.at(cell, time);
                    false
                };
                assert_eq!((granted, owed), (fits, vec![cell.owed]), "{mode} {cost} of {limit} at {now}");
            }
        }
    }
}
