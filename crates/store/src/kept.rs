//! What was read and is kept for less than a second.
//!
//! An entry knows the epoch at which it was read and is used in that epoch alone. Shortly before its end the first who asks reads it
//! anew while the others go on with it, so that callers with the same credential do not all turn to the database at once.

use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How long an entry may be used: revocation holds on every node within a second.
const AGE: Duration = Duration::from_millis(900);
/// After how long somebody reads it anew.
const DUE: Duration = Duration::from_millis(450);
/// Entries per cache; an entry is a few hundred bytes.
pub(crate) const ENTRIES: u64 = 100_000;

/// A moment before a reading: what is read after it is at least as fresh.
#[derive(Clone, Copy)]
pub(crate) struct Moment {
    epoch: u64,
    at: Instant,
}

impl Moment {
    /// Now, in an epoch.
    pub(crate) fn now(epoch: u64) -> Self {
        Self { epoch, at: Instant::now() }
    }
}

struct Entry<V> {
    read: Moment,
    /// Somebody reads it anew already.
    taken: AtomicBool,
    value: V,
}

/// A bounded cache of such entries.
pub(crate) struct Kept<K, V>(moka::sync::Cache<K, Arc<Entry<V>>>);

impl<K: Hash + Eq + Send + Sync + 'static, V: Clone + Send + Sync + 'static> Default for Kept<K, V> {
    fn default() -> Self {
        Self(moka::sync::Cache::builder().max_capacity(ENTRIES).time_to_live(AGE).build())
    }
}

impl<K: Hash + Eq + Send + Sync + 'static, V: Clone + Send + Sync + 'static> Kept<K, V> {
    /// The value, unless it is of another epoch, too old, or this caller's turn to read anew. Whoever reads anew and is refused must
    /// [`Kept::forget`], so that the others do not go on with what is void.
    pub(crate) fn get(&self, key: &K, now: Moment) -> Option<V> {
        let entry = self.0.get(key).filter(|entry| entry.read.epoch == now.epoch)?;
        let age = now.at.saturating_duration_since(entry.read.at);
        if age > AGE || age > DUE && !entry.taken.swap(true, Ordering::Relaxed) {
            return None;
        }
        Some(entry.value.clone())
    }

    /// Keeps a value that was read after a moment.
    pub(crate) fn insert(&self, key: K, read: Moment, value: V) {
        self.0.insert(key, Arc::new(Entry { read, taken: AtomicBool::new(false), value }));
    }

    /// Forgets a value.
    pub(crate) fn forget(&self, key: &K) {
        self.0.invalidate(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_used_in_its_epoch_and_read_anew_by_one() {
        let kept: Kept<u8, &str> = Kept::default();
        let now = Moment::now(7);
        let later = |by: Duration| Moment { at: now.at + by, ..now };
        kept.insert(1, now, "ann");
        assert_eq!(kept.get(&1, now), Some("ann"));
        assert_eq!(kept.get(&1, Moment { epoch: 8, ..now }), None, "of another epoch");
        let due = later(DUE + Duration::from_millis(1));
        assert_eq!(kept.get(&1, due), None, "the first who asks reads it anew");
        assert_eq!(kept.get(&1, due), Some("ann"), "the others go on with it");
        assert_eq!(kept.get(&1, later(AGE + Duration::from_millis(1))), None, "too old for anybody");
        kept.insert(1, now, "ann");
        kept.forget(&1);
        assert_eq!(kept.get(&1, now), None);
    }
}
