//! Which thresholds of limits this program knows to be noted in the books, so that it need not note them with each call.
//!
//! What is reached is looked for by what is used and by the limit as it is now, not by what one call added: a limit may become
//! smaller by itself, when an increase or an exception ends.

use std::sync::{Arc, Mutex};

use domain::OrgId;

use crate::accounts::{Map, Name, name};
use crate::books::locked;
use crate::limit::Limit;

/// Counters that are remembered at most; beyond that all are forgotten, and noted once more.
const REMEMBERED: usize = 200_000;

/// The highest threshold of each counter that is known to be noted, in percent. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Marks(Arc<Mutex<Map<(OrgId, Name), i64>>>);

/// A threshold of an organisation's counter, in percent.
pub(crate) type Mark = (OrgId, Name, i64);

impl Marks {
    /// The thresholds that a limit has reached with what is settled and that may not be noted yet.
    pub(crate) fn fresh(&self, org: OrgId, limit: &Limit, settled: i64) -> Vec<i64> {
        let mut reached = limit.reached(settled).peekable();
        if reached.peek().is_none() {
            return Vec::new();
        }
        let noted = locked(&self.0).get(&(org, name(limit))).copied();
        reached.filter(|percent| noted.is_none_or(|noted| *percent > noted)).collect()
    }

    /// Remembers what was noted, when that is committed.
    pub(crate) fn noted(&self, marks: impl IntoIterator<Item = Mark>) {
        let mut all = locked(&self.0);
        for (org, name, percent) in marks {
            if all.len() >= REMEMBERED {
                all.clear();
            }
            let mark = all.entry((org, name)).or_insert(percent);
            *mark = percent.max(*mark);
        }
    }
}
