//! What a program takes from the world around it: the time and randomness. Both are passed in, so that every engine can run in a
//! seeded simulator; nothing else in Rowhouse reads a clock for a decision or a random device.

use std::cell::RefCell;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::{Id, Time};

/// A source of the current time.
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> Time;
}

/// A source of random bytes that nobody can guess.
pub trait Random: Send + Sync {
    /// Fills the buffer.
    fn fill(&self, buffer: &mut [u8]);
}

/// The clock and the randomness of one program; cheap to clone.
#[derive(Clone)]
pub struct Ambient {
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    /// The time and counter of the last id.
    last_id: Arc<AtomicU64>,
}

impl Ambient {
    /// The real clock and the operating system's randomness.
    #[must_use]
    pub fn system() -> Self {
        Self::new(Arc::new(SystemClock), Arc::new(SystemRandom))
    }

    /// The given sources.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Self {
        Self { clock, random, last_id: Arc::default() }
    }

    /// The time now.
    #[must_use]
    pub fn now(&self) -> Time {
        self.clock.now()
    }

    /// `N` random bytes.
    #[must_use]
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.random.fill(&mut bytes);
        bytes
    }

    /// A new id: UUID version 7 (RFC 9562 section 5.7) with a counter beside the milliseconds (section 6.2, method 1), so the ids
    /// of one program sort in the order in which they were made.
    #[must_use]
    pub fn id<T: Id>(&self) -> T {
        const COUNTER_BITS: u32 = 12;
        let millis = u64::try_from(self.now().micros() / 1000).unwrap_or(0);
        let next = |last: u64| (last + 1).max(millis << COUNTER_BITS);
        let taken = self.last_id.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| Some(next(last)));
        let stamp = next(taken.unwrap_or_else(|last| last));
        let mut rest: [u8; 10] = self.bytes();
        let counter = stamp.to_be_bytes();
        // The upper half of the first byte gives way to the version.
        rest[0] = counter[6];
        rest[1] = counter[7];
        T::from_uuid(uuid::Builder::from_unix_timestamp_millis(stamp >> COUNTER_BITS, &rest).into_uuid())
    }
}

impl Ambient {
    /// An id of something that happened at an earlier time: it sorts among the ids of that time, by chance within a millisecond.
    #[must_use]
    pub fn id_at<T: Id>(&self, at: Time) -> T {
        let millis = u64::try_from(at.micros() / 1000).unwrap_or(0);
        T::from_uuid(uuid::Builder::from_unix_timestamp_millis(millis, &self.bytes()).into_uuid())
    }
}

impl std::fmt::Debug for Ambient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ambient")
    }
}

struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
    fn now(&self) -> Time {
        Time::from_micros(jiff::Timestamp::now().as_microsecond())
    }
}

struct SystemRandom;

/// Bytes that a thread asks the operating system for at once, and the most that are given out of them: each request takes a few short
/// ones for its ids. Keys are longer, and asked for by themselves.
const STOCK: usize = 512;
const SHORT: usize = 16;

thread_local! {
    /// Randomness that was not given out yet, and where it begins. What was given out is zero.
    static UNUSED: RefCell<([u8; STOCK], usize)> = const { RefCell::new(([0; STOCK], STOCK)) };
}

impl Random for SystemRandom {
    fn fill(&self, buffer: &mut [u8]) {
        if buffer.len() > SHORT {
            return ask_system(buffer);
        }
        UNUSED.with_borrow_mut(|(stock, from)| {
            if stock.len() - *from < buffer.len() {
                ask_system(stock);
                *from = 0;
            }
            let given = &mut stock[*from..*from + buffer.len()];
            buffer.copy_from_slice(given);
            given.fill(0);
            *from += buffer.len();
        });
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that asks the operating system for randomness")]
fn ask_system(buffer: &mut [u8]) {
    getrandom::fill(buffer).expect("the operating system gives randomness; without it no secret can be made");
}

/// A clock that moves only when it is told to: for tests and simulations.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that stands at the given time.
    #[must_use]
    pub fn at(time: Time) -> Self {
        Self(AtomicI64::new(time.micros()))
    }

    /// Sets the clock, forwards or back.
    pub fn set(&self, time: Time) {
        self.0.store(time.micros(), Ordering::SeqCst);
    }

    /// Moves the clock on.
    pub fn advance(&self, by: Duration) {
        self.0.fetch_add(i64::try_from(by.as_micros()).unwrap_or(0), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Time {
        Time::from_micros(self.0.load(Ordering::SeqCst))
    }
}

/// Randomness that repeats for the same seed (SplitMix64, Steele et al. 2014): for simulations only, never for secrets.
#[derive(Debug)]
pub struct SeededRandom(Mutex<u64>);

impl SeededRandom {
    /// Randomness that is the same for the same seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(seed))
    }
}

impl Random for SeededRandom {
    fn fill(&self, buffer: &mut [u8]) {
        let mut state = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        for chunk in buffer.chunks_mut(8) {
            *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mut z = *state;
            z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            chunk.copy_from_slice(&(z ^ (z >> 31)).to_le_bytes()[..chunk.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::UserId;

    #[test]
    fn ids_sort_as_they_were_made_even_when_the_clock_stands_still() {
        let clock = Arc::new(ManualClock::at(Time::from_micros(1_700_000_000_000_000)));
        let ambient = Ambient::new(clock.clone(), Arc::new(SeededRandom::new(7)));
        let mut ids: Vec<UserId> = (0..10_000).map(|_| ambient.id()).collect();
        clock.advance(Duration::from_secs(1));
        ids.push(ambient.id());
        assert!(ids.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(ids.iter().all(|id| id.uuid().get_version_num() == 7));
    }

    #[test]
    fn the_systems_randomness_is_given_out_once_however_short_the_pieces() {
        let ambient = Ambient::system();
        let pieces: HashSet<[u8; 11]> = (0..10_000).map(|_| ambient.bytes()).collect();
        assert_eq!(pieces.len(), 10_000);
        let left = UNUSED.with_borrow(|(stock, from)| stock[..*from].iter().any(|byte| *byte != 0));
        assert!(!left, "what was given out is kept");
        assert_ne!(ambient.bytes::<32>(), [0; 32]);
        assert_ne!(ambient.bytes::<STOCK>(), ambient.bytes::<STOCK>());
    }
}
