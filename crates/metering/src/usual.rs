//! A batch that takes its usual course, where several programs write: holds that fit or do not, and ends of holds that are still
//! there. It is served in three journeys to the database, however many tasks it has.
//!
//! Whatever is unusual (a counter that nobody derived yet, a hold that is gone, holds of dead programs that may be in the way) is left
//! to the desk, which goes step by step: nothing is written then.

use std::collections::HashMap;

use domain::Time;
use domain::limits::{Amounts, LimitKey};
use store::ledger::balances::{Balance, Counter as Found};
use store::ledger::journeys::Writes;
use store::{Scope, Store};

use crate::accounts::{Name, name};
use crate::books::locked;
use crate::desk::Desk;
use crate::limit::Limit;
use crate::line::{Op, Task, Verdict};
use crate::marks::Marks;

/// Serves the batch of one organisation: what to tell each task, and whether thresholds were passed. None when it is not a usual one.
pub(crate) async fn post(
    store: &Store,
    scope: &Scope,
    batch: &[Op],
    desk: &Desk,
) -> store::Result<Option<(Vec<Verdict>, bool)>> {
    if !batch.iter().all(|op| matches!(op.task, Task::Hold { .. } | Task::End { .. })) {
        return Ok(None);
    }
    let mut tx = store.begin_ledger(scope).await?;
    let mut page = tx.page(scope)?;
    let (lease, marks) = (desk.lease, &desk.marks);
    let last = locked(&desk.swept).get(&scope.org()).copied();
    if !last.is_some_and(|last| last <= page.now() && page.now().since(last) < lease / 4) {
        return Ok(None);
    }
    let mut sums = Sums::default();
    let mut ends = Vec::new();
    for op in batch {
        if let Task::Hold { open, .. } | Task::End { open, .. } = &op.task {
            sums.know(&open.path);
        }
        if let Task::End { open, .. } = &op.task {
            ends.push(open.key());
        }
    }
    let (found, ended) = page.find_and_end(&sums.names, &ends).await?;
    if ended.len() < ends.len() || ended.contains(&true) || !sums.begin(&found) {
        return Ok(None);
    }
    let mut writes = Writes { holds: Vec::new(), lease, entries: Vec::new(), passed: Vec::new(), balances: Vec::new() };
    let mut verdicts = Vec::with_capacity(batch.len());
    for op in batch {
        verdicts.push(match &op.task {
            Task::Hold { open, .. } => match sums.hold(&open.path, &open.hold.amounts) {
                Ok(()) => {
                    writes.holds.push(&open.hold);
                    Verdict::Held
                }
                // What is held may be held by the dead.
                Err(shortage) if shortage.held > 0 => return Ok(None),
                Err(shortage) => {
                    let short = open.path.iter().filter(|limit| shortage.is_of(limit));
                    short.for_each(|limit| sums.watch(scope, limit, marks, &mut writes.passed));
                    Verdict::Short(Box::new(shortage))
                }
            },
            Task::End { open, charge, .. } => {
                writes.entries.push((&open.hold, charge));
                sums.end(&open.path, &open.hold.amounts, &charge.amounts);
                open.path.iter().for_each(|limit| sums.watch(scope, limit, marks, &mut writes.passed));
                Verdict::Done
            }
            _ => return Ok(None),
        });
    }
    writes.balances = sums.changed();
    let written = page.write_batch(&writes).await?;
    if !written.all_new {
        return Ok(None);
    }
    tx.commit().await?;
    marks.noted(writes.passed.iter().map(|(key, from, percent)| (scope.org(), (*key, *from), *percent)));
    Ok(Some((verdicts, written.news)))
}

/// The counters on the paths of a batch.
#[derive(Default)]
struct Sums {
    names: Vec<Name>,
    by_name: HashMap<Name, Counter>,
}

#[derive(Clone, Copy, Default)]
struct Counter {
    balance: Balance,
    changed: bool,
}

impl Sums {
    fn know(&mut self, path: &[Limit]) {
        for limit in path {
            let name = name(limit);
            self.by_name.entry(name).or_insert_with(|| {
                self.names.push(name);
                Counter::default()
            });
        }
    }

    /// Takes what was found; false when a counter is not there.
    fn begin(&mut self, found: &[Found]) -> bool {
        for Found { limit_id, counted, starts_at, held, settled } in found {
            let name = (LimitKey { id: *limit_id, counted: *counted }, *starts_at);
            self.by_name.insert(name, Counter { balance: Balance { held: *held, settled: *settled }, changed: false });
        }
        found.len() == self.names.len()
    }

    fn hold(&mut self, path: &[Limit], amounts: &Amounts) -> Result<(), crate::Shortage> {
        let short =
            path.iter().find_map(|limit| limit.shortage(self.by_name[&name(limit)].balance, limit.takes(amounts)));
        if let Some(shortage) = short {
            return Err(shortage);
        }
        for limit in path {
            let amount = limit.takes(amounts);
            self.change(limit, |balance| balance.hold(amount));
        }
        Ok(())
    }

    fn end(&mut self, path: &[Limit], held: &Amounts, used: &Amounts) {
        for limit in path {
            let (taken, used) = (limit.takes(held), limit.takes(used));
            self.change(limit, |balance| balance.end(taken, used));
        }
    }

    /// Adds the thresholds that a limit has reached.
    fn watch(&self, scope: &Scope, limit: &Limit, marks: &Marks, passed: &mut Vec<(LimitKey, Time, i64)>) {
        let settled = self.by_name[&name(limit)].balance.settled;
        for percent in marks.fresh(scope.org(), limit, settled) {
            let mark = (limit.key, limit.span.from, percent);
            if !passed.contains(&mark) {
                passed.push(mark);
            }
        }
    }

    fn change(&mut self, limit: &Limit, change: impl FnOnce(&mut Balance)) {
        let counter = self.by_name.entry(name(limit)).or_default();
        change(&mut counter.balance);
        counter.changed = true;
    }

    /// What was changed, in the order of the paths.
    fn changed(&self) -> Vec<(LimitKey, Time, Balance)> {
        let counters = self.names.iter().map(|name| (name, &self.by_name[name]));
        counters
            .filter(|(_, counter)| counter.changed)
            .map(|(name, counter)| (name.0, name.1, counter.balance))
            .collect()
    }
}
