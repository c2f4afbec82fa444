//! The rows of an organisation's usage log as they are written, for as long as somebody listens.
//!
//! A row's id says when its operation began, and it is written when that ends. So the reader looks at what began a moment ago, and at
//! what was under way the last time and is not any more.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use domain::{Time, UsageId};
use store::ledger::entries::{self, Entry};
use store::ledger::holds;
use store::{Scope, Store};

use crate::http::feeds::Reader;

/// How far back: the clocks of nodes may differ by less, and a row may become visible as much later than it was begun.
const WINDOW: Duration = Duration::from_secs(5);
/// Rows read at a time, and how many times in one look.
const BATCH: i64 = 1000;
const BATCHES: usize = 20;

type Key = (UsageId, i64);

/// What was told and what was under way at the last look.
pub(crate) struct Rows {
    seen: BTreeMap<Key, Time>,
    open: HashSet<Key>,
}

impl Reader for Rows {
    type News = Entry;
    const WHAT: &'static str = "usage";
    const PAUSE: Duration = Duration::from_millis(500);
    const WAITING: usize = 1024;
    const LISTENERS: usize = 32;

    async fn begin(store: &Store, scope: &Scope) -> store::Result<Self> {
        let mut rows = Self { seen: BTreeMap::new(), open: HashSet::new() };
        rows.look(store, scope).await?;
        Ok(rows)
    }

    async fn look(&mut self, store: &Store, scope: &Scope) -> store::Result<Vec<Entry>> {
        let now = store.ambient().now();
        let mut tx = store.read_ledger(scope).await?;
        let mut page = tx.page(scope)?;
        let open: HashSet<Key> =
            holds::list(&mut page).await?.into_iter().map(|(hold, _)| (hold.id, hold.attempt)).collect();
        let mut rows = Vec::new();
        for (id, attempt) in self.open.difference(&open) {
            rows.extend(entries::find(&mut page, *id, *attempt).await?);
        }
        let mut after = None;
        for _ in 0..BATCHES {
            let batch = entries::recent(&mut page, now - WINDOW, after, BATCH).await?;
            let full = i64::try_from(batch.len()).unwrap_or(0) == BATCH;
            after = batch.last().map(|row| (row.id, row.attempt));
            rows.extend(batch);
            if !full {
                break;
            }
        }
        drop(tx);
        self.open = open;
        rows.retain(|row| self.seen.insert((row.id, row.attempt), now).is_none());
        // What began before the window is found by its hold, which is gone: it does not come again.
        self.seen.retain(|_, at| now.since(*at) <= WINDOW * 2);
        Ok(rows)
    }
}
