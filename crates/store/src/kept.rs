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

struct Entry<V> {
    epoch: u64,
    read_at: Instant,
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
    /// The value, unless it is of another epoch, too old, or this caller's turn to read anew.
    pub(crate) fn get(&self, key: &K, epoch: u64) -> Option<V> {
        self.get_at(key, epoch, Instant::now())
    }

    fn get_at(&self, key: &K, epoch: u64, now: Instant) -> Option<V> {
        let entry = self.0.get(key).filter(|entry| entry.epoch == epoch)?;
        let age = now.saturating_duration_since(entry.read_at);
        if age > AGE || age > DUE && !entry.taken.swap(true, Ordering::Relaxed) {
            return None;
        }
        Some(entry.value.clone())
    }

    /// Keeps a value that was read in an epoch; the reading began after the epoch was looked at.
    pub(crate) fn insert(&self, key: K, epoch: u64, value: V) {
        self.0.insert(key, Arc::new(Entry { epoch, read_at: Instant::now(), taken: AtomicBool::new(false), value }));
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
        kept.insert(1, 7, "ann");
        assert_eq!(kept.get(&1, 7), Some("ann"));
        assert_eq!(kept.get(&1, 8), None, "of another epoch");
        let due = Instant::now() + DUE;
        assert_eq!(kept.get_at(&1, 7, due), None, "the first who asks reads it anew");
        assert_eq!(kept.get_at(&1, 7, due), Some("ann"), "the others go on with it");
        assert_eq!(kept.get_at(&1, 7, due + AGE), None, "too old for anybody");
        kept.insert(1, 7, "ann");
        kept.forget(&1);
        assert_eq!(kept.get(&1, 7), None);
    }
}
