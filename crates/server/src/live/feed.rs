//! What was written to an organisation's audit log, and whether its knowledge went on, for as long as somebody listens.

use std::time::Duration;

use store::audit::Filter;
use store::org::{audits, knowledge};
use store::{Scope, Store};

use super::nouns::{self, AUDIT, COLLECTIONS, Noun};
use crate::http::feeds::Reader;

/// Entries read at a time, and how many times in one look; what comes after is told of with the next.
const BATCH: i64 = 500;
const BATCHES: usize = 4;

/// A noun that changed, and who did it: as the log has it, with the person for whom a key did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    pub(super) noun: Noun,
    by: Option<(String, Option<String>)>,
}

impl Change {
    /// Whether it may change what people may do.
    pub(super) fn touches_rights(&self) -> bool {
        matches!(self.noun.0, "members" | "teams" | "projects" | "roles" | "orgs")
    }

    /// Whether a person did it, by themselves or with a key.
    pub(super) fn is_by(&self, user: &str) -> bool {
        self.by.as_ref().is_some_and(|(actor, behalf)| actor == user || behalf.as_deref() == Some(user))
    }
}

/// How far the log and the knowledge were at the last look.
pub(crate) struct Log {
    seq: i64,
    knowledge: i64,
}

impl Reader for Log {
    /// Each noun once for each who changed it, as one look found them.
    type News = Vec<Change>;
    const WHAT: &'static str = "changes";
    const PAUSE: Duration = Duration::from_millis(400);
    const WAITING: usize = 64;
    const LISTENERS: usize = 256;

    async fn begin(store: &Store, scope: &Scope) -> store::Result<Self> {
        let mut tx = store.open(scope).read().await?;
        Ok(Self { seq: audits::head(&mut tx).await?.seq, knowledge: knowledge::state(&mut tx).await?.changes })
    }

    async fn look(&mut self, store: &Store, scope: &Scope) -> store::Result<Vec<Vec<Change>>> {
        let mut tx = store.open(scope).read().await?;
        let mut changes: Vec<Change> = Vec::new();
        let mut add = |change: Change| {
            if !changes.contains(&change) {
                changes.push(change);
            }
        };
        let knowledge = knowledge::state(&mut tx).await?.changes;
        if self.knowledge != knowledge {
            add(Change { noun: COLLECTIONS, by: None });
        }
        let head = audits::head(&mut tx).await?.seq;
        let mut seq = self.seq;
        for _ in 0..BATCHES {
            if seq >= head {
                break;
            }
            let entries = audits::list_rising(&mut tx, Filter::default(), seq, BATCH).await?;
            seq = entries.last().map_or(head, |last| last.seq);
            for entry in entries {
                let by = Some((entry.actor, entry.behalf));
                for noun in nouns::of(&entry.action).iter().chain([&AUDIT]) {
                    add(Change { noun: *noun, by: by.clone() });
                }
            }
        }
        // Only now: what a look read that fails half way is read again by the next.
        *self = Self { seq, knowledge };
        Ok(if changes.is_empty() { Vec::new() } else { vec![changes] })
    }
}
