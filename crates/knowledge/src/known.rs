//! What searches keep in memory of the organisations that searched last: which passages there are, and their vectors.
//!
//! It is brought up to date in the transaction that searches, from what changed since. A passage never changes, and neither does its
//! vector: what comes has higher numbers, vectors are asked for where there was none, and what is there is asked for again only after
//! passages went. The store counts both kinds of changes ([`State`]). When passages came into another collection, which is rare, all is
//! read anew.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use domain::OrgId;
use store::org::knowledge::passages::Passages;
use store::org::knowledge::{State, chunks, state};
use store::{Result, Tx};
use tokio::sync::Mutex;

use crate::matrix::{Matrix, Part};
use crate::meaning::WideVectors;

/// The model inside this program, as it stands on vectors: those of others are kept apart.
pub const MODEL: &str = embedding::MODEL;
/// Vectors that are read from the store at once.
const PAGE: i64 = 4096;
/// Numbers between two passages without a vector up to which both are asked for at once, with what lies between.
const GAP: i64 = 256;
/// Bytes that is kept of all organisations at most: some 1.3 million passages. An organisation with more is read anew for each of its
/// searches.
const MEMORY: u64 = 512 << 20;

/// What is known of one organisation, as one transaction saw it. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known {
    state: State,
    /// The passages that there are.
    pub(crate) passages: Arc<Passages>,
    /// Those of them that had no vector, by number.
    waiting: Arc<Vec<i64>>,
    /// The vectors of the others.
    pub(crate) matrix: Matrix,
}

/// An organisation's place in memory. Who brings it up to date is alone with it, so that no two read the same.
#[derive(Debug, Default)]
struct Place {
    known: Mutex<Known>,
    bytes: AtomicUsize,
}

/// What is known of the organisations that searched last. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Memory {
    places: moka::sync::Cache<OrgId, Arc<Place>>,
    /// The vectors of other models.
    pub(crate) wide: WideVectors,
}

impl Default for Memory {
    fn default() -> Self {
        let weigh =
            |_: &OrgId, place: &Arc<Place>| u32::try_from(place.bytes.load(Ordering::Relaxed)).unwrap_or(u32::MAX);
        let places = moka::sync::Cache::builder().max_capacity(MEMORY).weigher(weigh).build();
        Self { places, wide: WideVectors::default() }
    }
}

impl Memory {
    /// What is known as the transaction sees it.
    pub(crate) async fn of(&self, tx: &mut Tx) -> Result<Known> {
        let (org, now) = (tx.org(), state(tx).await?);
        let place = self.places.get_with(org, Arc::default);
        let mut known = place.known.lock().await;
        if known.state == now {
            return Ok(known.clone());
        }
        if known.state.changes > now.changes {
            // Another transaction saw more than this one does: what went meanwhile is read for this one alone.
            drop(known);
            let mut earlier = Known::default();
            earlier.catch_up(tx, now).await?;
            return Ok(earlier);
        }
        let mut next = known.clone();
        next.catch_up(tx, now).await?;
        *known = next.clone();
        place.bytes.store(next.bytes(), Ordering::Relaxed);
        // It is weighed when it is put in.
        self.places.insert(org, place.clone());
        Ok(next)
    }
}

impl Known {
    /// The bytes that it takes.
    fn bytes(&self) -> usize {
        size_of::<Place>() + self.matrix.bytes() + self.passages.bytes() + self.waiting.capacity() * 8
    }

    /// Makes this what the transaction sees, which is `now`.
    async fn catch_up(&mut self, tx: &mut Tx, now: State) -> Result<()> {
        if now.moves != self.state.moves {
            *self = Self::default();
        }
        let (losses, numbers) = (now.losses > self.state.losses, now.numbers > self.state.numbers);
        let mut waiting = Arc::unwrap_or_clone(std::mem::take(&mut self.waiting));
        if losses || numbers {
            let mut passages = Passages::clone(&self.passages);
            if losses && !passages.is_empty() {
                passages.let_go(tx).await?;
                self.matrix.retain(|chunk| passages.has(chunk));
                waiting.retain(|chunk| passages.has(*chunk));
            }
            let had = passages.len();
            passages.read_on(tx, self.state.numbers).await?;
            waiting.extend_from_slice(&passages.numbers()[had..]);
            self.passages = Arc::new(passages);
        }
        let (mut found, mut part) = (Vec::new(), Part::default());
        for near in waiting.chunk_by(|left, right| right - left <= GAP) {
            let (Some(first), Some(last)) = (near.first(), near.last()) else { continue };
            let mut from = *first;
            loop {
                let page = chunks::vectors(tx, MODEL, from, *last, PAGE).await?;
                for vector in page.iter().filter(|vector| near.binary_search(&vector.chunk).is_ok()) {
                    part.push(vector);
                    found.push(vector.chunk);
                }
                match page.last() {
                    Some(last) if page.len() >= usize::try_from(PAGE).unwrap_or(usize::MAX) => from = last.chunk + 1,
                    _ => break,
                }
            }
        }
        self.matrix.add(part);
        // Both are in order.
        waiting.retain(|chunk| found.binary_search(chunk).is_err());
        self.waiting = Arc::new(waiting);
        self.state = now;
        Ok(())
    }
}
