//! What was written to an organisation's audit log, for as long as somebody listens: one reader per organisation and node, however many
//! listen, whichever node wrote.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::OrgId;
use store::audit::Filter;
use store::org::{audits, knowledge};
use store::{Scope, Store};
use tokio::sync::broadcast;

use super::nouns::{self, AUDIT, COLLECTIONS, Noun};
use crate::http::error::{Problem, Result};

/// How often the log is looked at.
const PAUSE: Duration = Duration::from_millis(400);
/// Entries read at a time, and how many times in one look; what comes after is told of with the next.
const BATCH: i64 = 500;
const BATCHES: usize = 4;
/// Looks that wait for a listener who is slow.
const WAITING: usize = 64;
/// How many listen in one organisation, on one node.
const LISTENERS: usize = 256;

/// A noun that changed, and who did it: as the log has it, with the person for whom a key did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) noun: Noun,
    by: Option<(String, Option<String>)>,
}

impl Change {
    /// Whether a person did it, by themselves or with a key.
    pub(super) fn is_by(&self, user: &str) -> bool {
        self.by.as_ref().is_some_and(|(actor, behalf)| actor == user || behalf.as_deref() == Some(user))
    }
}

type News = Arc<Vec<Change>>;

/// All organisations' feeds. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Feeds(Arc<Mutex<HashMap<OrgId, broadcast::Sender<News>>>>);

impl Feeds {
    /// Listens to the scope's organisation from now on.
    /// # Errors
    /// 429 when too many do.
    pub(super) async fn listen(&self, store: &Store, scope: &Scope) -> Result<broadcast::Receiver<News>> {
        if let Some(heard) = self.join(scope.org())? {
            return Ok(heard);
        }
        // What is there by now is no news.
        let reader = Reader::begin(store, scope).await?;
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

    fn join(&self, org: OrgId) -> Result<Option<broadcast::Receiver<News>>> {
        let feeds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(sender) = feeds.get(&org) else { return Ok(None) };
        if sender.receiver_count() >= LISTENERS {
            let why = format!("{LISTENERS} listen to this organisation's changes already.");
            return Err(Problem::new("rate_limited", why).retry_after(10));
        }
        Ok(Some(sender.subscribe()))
    }

    /// Ends a feed that nobody listens to; whoever comes now begins another.
    fn end_if_alone(&self, org: OrgId, sender: &broadcast::Sender<News>) -> bool {
        let mut feeds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let alone = sender.receiver_count() == 0;
        if alone {
            feeds.remove(&org);
        }
        alone
    }
}

async fn read(feeds: Feeds, store: Store, scope: Scope, mut reader: Reader, sender: broadcast::Sender<News>) {
    while !feeds.end_if_alone(scope.org(), &sender) {
        tokio::time::sleep(PAUSE).await;
        match reader.look(&store, &scope).await {
            Ok(changes) if changes.is_empty() => {}
            Ok(changes) => drop(sender.send(Arc::new(changes))),
            Err(error) => tracing::warn!(org = %scope.org(), %error, "changes could not be read for who listens"),
        }
    }
}

/// How far the log and the knowledge were at the last look.
struct Reader {
    seq: i64,
    knowledge: i64,
}

impl Reader {
    async fn begin(store: &Store, scope: &Scope) -> store::Result<Self> {
        let mut tx = store.open(scope).read().await?;
        Ok(Self { seq: audits::head(&mut tx).await?.seq, knowledge: knowledge::state(&mut tx).await?.changes })
    }

    /// What changed since the last look, each noun once for each who changed it.
    async fn look(&mut self, store: &Store, scope: &Scope) -> store::Result<Vec<Change>> {
        let mut tx = store.open(scope).read().await?;
        let mut changes: Vec<Change> = Vec::new();
        let mut add = |change: Change| {
            if !changes.contains(&change) {
                changes.push(change);
            }
        };
        let knowledge = knowledge::state(&mut tx).await?.changes;
        if std::mem::replace(&mut self.knowledge, knowledge) != knowledge {
            add(Change { noun: COLLECTIONS, by: None });
        }
        let head = audits::head(&mut tx).await?.seq;
        for _ in 0..BATCHES {
            if self.seq >= head {
                break;
            }
            let entries = audits::list_rising(&mut tx, Filter::default(), self.seq, BATCH).await?;
            self.seq = entries.last().map_or(head, |last| last.seq);
            for entry in entries {
                let by = Some((entry.actor, entry.behalf));
                for noun in nouns::of(&entry.action).iter().chain([&AUDIT]) {
                    add(Change { noun: *noun, by: by.clone() });
                }
            }
        }
        Ok(changes)
    }
}
