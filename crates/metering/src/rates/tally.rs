//! How many calls were let in and turned away since it was last written down, for people to look at.

use std::sync::Mutex;

use domain::OrgId;
use domain::limits::Level;
use domain::operation::Operation;
use store::Scope;
use store::ledger::admissions::Admission;

use super::rule::{Counts, Reach};
use crate::accounts::Map;
use crate::books::locked;
use crate::rules::Spender;

/// Organisations, and kinds of calls of each, that are counted between two writes; what comes on top is let go.
const ORGANISATIONS: usize = 10_000;
const KINDS: usize = 1_000;

/// Which limit had no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RefusedBy {
    /// The level of the limit.
    pub level: Level,
    /// Which operations it counts.
    pub reach: Reach,
    /// What it counts.
    pub counts: Counts,
}

impl RefusedBy {
    /// As it is written down.
    #[must_use]
    pub fn text(self) -> String {
        format!("{} {} {}", self.level.as_str(), self.reach.as_str(), self.counts.as_str())
    }
}

/// What calls have in common that are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Kind {
    spender: Spender,
    operation: Operation,
    refused_by: Option<RefusedBy>,
}

struct Tally {
    scope: Scope,
    kinds: Map<Kind, i64>,
}

/// What was counted, as it is written down.
pub(super) type Counted = (Scope, Vec<(Admission, i64)>);

/// The counts of all organisations.
#[derive(Default)]
pub(super) struct Tallies(Mutex<Map<OrgId, Tally>>);

impl Tallies {
    /// Counts a call.
    pub(super) fn count(&self, scope: &Scope, spender: Spender, operation: Operation, refused_by: Option<RefusedBy>) {
        let mut all = locked(&self.0);
        if !all.contains_key(&scope.org()) {
            if all.len() >= ORGANISATIONS {
                return;
            }
            all.insert(scope.org(), Tally { scope: scope.clone(), kinds: Map::default() });
        }
        let Some(tally) = all.get_mut(&scope.org()) else { return };
        // Where it counts to is the books' matter.
        let spender = Spender { team: None, agent: None, run: None, ..spender };
        let kind = Kind { spender, operation, refused_by };
        if let Some(times) = tally.kinds.get_mut(&kind) {
            *times += 1;
        } else if tally.kinds.len() < KINDS {
            tally.kinds.insert(kind, 1);
        }
    }

    /// Takes what was counted: of one organisation, or of all.
    pub(super) fn take(&self, only: Option<OrgId>) -> Vec<Counted> {
        let mut all = locked(&self.0);
        let taken = match only {
            Some(org) => all.remove(&org).into_iter().collect(),
            None => std::mem::take(&mut *all).into_values().collect::<Vec<_>>(),
        };
        drop(all);
        let admission = |(kind, times): (Kind, i64)| {
            let Spender { user, key, project, .. } = kind.spender;
            let refused_by = kind.refused_by.map(RefusedBy::text).unwrap_or_default();
            (
                Admission { user_id: user, key_id: key, project_id: project, operation: kind.operation, refused_by },
                times,
            )
        };
        taken.into_iter().map(|tally| (tally.scope, tally.kinds.into_iter().map(admission).collect())).collect()
    }
}
