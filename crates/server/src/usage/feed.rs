//! The rows of an organisation's usage log as they are written, for as long as somebody listens: one reader of the books per
//! organisation, however many listen, whichever node wrote.
//!
//! A row's id says when its operation began, and it is written when that ends. So the reader looks at what began a moment ago, and at
//! what was under way the last time and is not any more.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::{OrgId, Time, UsageId};
use store::ledger::entries::{self, Entry};
use store::ledger::holds;
use store::{Scope, Store};
use tokio::sync::broadcast;

use crate::http::error::{Problem, Result};

/// How often the books are looked at.
const PAUSE: Duration = Duration::from_millis(500);
/// How far back: the clocks of nodes may differ by less, and a row may become visible as much later than it was begun.
const WINDOW: Duration = Duration::from_secs(5);
/// Rows read at a time, and how many times in one look.
const BATCH: i64 = 1000;
const BATCHES: usize = 20;
/// Rows that wait for a listener who is slow.
const WAITING: usize = 1024;
/// How many listen in one organisation, on one node.
const LISTENERS: usize = 32;

type Key = (UsageId, i64);

/// All organisations' feeds. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Feeds(Arc<Mutex<HashMap<OrgId, broadcast::Sender<Arc<Entry>>>>>);

impl Feeds {
    /// Listens to the scope's organisation from now on.
    /// # Errors
    /// 429 when too many do.
    pub(super) async fn listen(&self, store: &Store, scope: &Scope) -> Result<broadcast::Receiver<Arc<Entry>>> {
        if let Some(heard) = self.join(scope.org())? {
            return Ok(heard);
        }
        // What is there by now is no news.
        let mut reader = Reader { seen: BTreeMap::new(), open: HashSet::new() };
        reader.look(store, scope).await?;
        let (sender, heard) = broadcast::channel(WAITING);
        {
            let mut feeds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(other) = feeds.get(&scope.org()) {
                return Ok(other.subscribe());
            }
            feeds.insert(scope.org(), sender.clone());
        }
        tokio::spawn(read(self.clone(), store.clone(), scope.clone(), reader, sender));
        Ok(heard)
    }

    fn join(&self, org: OrgId) -> Result<Option<broadcast::Receiver<Arc<Entry>>>> {
        let feeds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(sender) = feeds.get(&org) else { return Ok(None) };
        if sender.receiver_count() >= LISTENERS {
            let why = format!("{LISTENERS} listen to this organisation's usage already.");
            return Err(Problem::new("rate_limited", why).retry_after(10));
        }
        Ok(Some(sender.subscribe()))
    }

    /// Ends a feed that nobody listens to; whoever comes now begins another.
    fn end_if_alone(&self, org: OrgId, sender: &broadcast::Sender<Arc<Entry>>) -> bool {
        let mut feeds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let alone = sender.receiver_count() == 0;
        if alone {
            feeds.remove(&org);
        }
        alone
    }
}

async fn read(feeds: Feeds, store: Store, scope: Scope, mut reader: Reader, sender: broadcast::Sender<Arc<Entry>>) {
    while !feeds.end_if_alone(scope.org(), &sender) {
        tokio::time::sleep(PAUSE).await;
        match reader.look(&store, &scope).await {
            Ok(rows) => rows.into_iter().for_each(|row| drop(sender.send(Arc::new(row)))),
            Err(error) => tracing::warn!(org = %scope.org(), %error, "the usage log could not be read for who listens"),
        }
    }
}

/// What was told and what was under way at the last look.
struct Reader {
    seen: BTreeMap<Key, Time>,
    open: HashSet<Key>,
}

impl Reader {
    /// The rows that are new since the last look.
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
