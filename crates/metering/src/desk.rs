//! The desk at which tasks are written into the books: one batch, one transaction.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::{OrgId, Time};
use store::ledger::balances::{self, Balance};
use store::ledger::entries::{self, Charge, Outcome};
use store::ledger::{LedgerTx, Page, alerts, holds};
use store::{Scope, Store};

use crate::accounts::{Call, Due, Ended, Name, name};
use crate::balance;
use crate::books::locked;
use crate::limit::{Limit, Shortage};
use crate::line::{Op, Task, Verdict};
use crate::marks::{Mark, Marks};
use crate::usual;

/// The desk of one batch.
pub(crate) struct Desk {
    pub(crate) lease: Duration,
    /// Whether nobody else writes: then no hold but those of calls under way needs to wait for its lease to run out.
    pub(crate) alone: bool,
    /// Whether it was tried before, and may have been committed without an answer.
    pub(crate) again: bool,
    /// The calls of this program that are under way, of organisations with tasks.
    pub(crate) live: HashSet<Call>,
    pub(crate) swept: Swept,
    pub(crate) marks: Marks,
    /// The balances that are known, of organisations with tasks.
    pub(crate) balances: HashMap<(OrgId, Name), Balance>,
}

/// When an organisation's holds were last looked through for those of dead programs.
pub(crate) type Swept = Arc<Mutex<HashMap<OrgId, Time>>>;

impl Desk {
    /// Writes what is due and then a batch, and says what to tell each task, and where thresholds were passed.
    pub(crate) async fn post(
        &mut self,
        store: &Store,
        due: &Due,
        batch: &[Op],
    ) -> store::Result<(Vec<Verdict>, Vec<Scope>)> {
        let Some(scope) = batch.first().map(|op| &op.scope).or_else(|| due.scope()) else {
            return Ok(Default::default());
        };
        if !(self.alone || self.again)
            && let Some((verdicts, passed)) = usual::post(store, scope, batch, self).await?
        {
            return Ok((verdicts, passed.then(|| scope.clone()).into_iter().collect()));
        }
        let mut tx = store.begin_ledger(scope).await?;
        let mut news: HashMap<OrgId, Scope> = HashMap::new();
        let mut noted = Vec::new();
        self.write(store, &mut tx, due, &mut news, &mut noted).await?;
        let mut verdicts = Vec::with_capacity(batch.len());
        let mut changed: HashMap<OrgId, (Scope, BTreeSet<Name>)> = HashMap::new();
        for op in batch {
            let mut page = tx.page(&op.scope)?;
            let org = op.scope.org();
            let mut work =
                Work { desk: self, page: &mut page, org, changed: Vec::new(), noted: Vec::new(), news: false };
            verdicts.push(work.run(&op.task).await?);
            let (touched, passed) = (work.changed, work.news);
            noted.extend(work.noted);
            if !touched.is_empty() {
                changed.entry(org).or_insert_with(|| (op.scope.clone(), BTreeSet::new())).1.extend(touched);
            }
            if passed {
                news.insert(org, op.scope.clone());
            }
        }
        for (org, (scope, names)) in &changed {
            let mut page = tx.page(scope)?;
            for name in names {
                if let Some(balance) = self.balances.get(&(*org, *name)) {
                    balances::put(&mut page, name.0, name.1, *balance).await?;
                }
            }
        }
        tx.commit().await?;
        self.marks.noted(noted);
        Ok((verdicts, news.into_values().collect()))
    }

    /// Writes what was done in memory. Nothing is written any more of an organisation that was erased.
    async fn write(
        &self,
        store: &Store,
        tx: &mut LedgerTx,
        due: &Due,
        news: &mut HashMap<OrgId, Scope>,
        noted: &mut Vec<Mark>,
    ) -> store::Result<()> {
        for open in due.holds.iter().filter(|open| !store.has_erased(&open.scope)) {
            holds::insert(&mut tx.page(&open.scope)?, &open.hold, self.lease).await?;
        }
        for Ended { open, charge, tabled, passed, .. } in &due.ended {
            if store.has_erased(&open.scope) {
                continue;
            }
            let mut page = tx.page(&open.scope)?;
            if *tabled {
                holds::delete(&mut page, open.hold.id, open.hold.attempt).await?;
            }
            entries::insert(&mut page, &open.hold, charge).await?;
            for ((key, from), percent) in passed {
                if alerts::insert(&mut page, *key, *from, *percent).await? {
                    news.insert(open.scope.org(), open.scope.clone());
                }
                noted.push((open.scope.org(), (*key, *from), *percent));
            }
        }
        for (scope, (key, from), balance) in &due.counters {
            if !store.has_erased(scope) {
                balances::put(&mut tx.page(scope)?, *key, *from, *balance).await?;
            }
        }
        for scope in &due.doubtful {
            balances::clear(&mut tx.page(scope)?).await?;
        }
        Ok(())
    }
}

/// One task at the desk.
struct Work<'a, 't> {
    desk: &'a mut Desk,
    page: &'a mut Page<'t>,
    org: OrgId,
    changed: Vec<Name>,
    /// Thresholds that are noted.
    noted: Vec<Mark>,
    news: bool,
}

impl Work<'_, '_> {
    async fn run(&mut self, task: &Task) -> store::Result<Verdict> {
        match task {
            Task::Hold { open, .. } => {
                let (hold, path) = (&open.hold, &open.path);
                if self.desk.again && holds::holder(self.page, hold.id, hold.attempt).await? == Some(hold.holder) {
                    return Ok(Verdict::Held);
                }
                self.sweep(false).await?;
                if let Some(shortage) = self.shortage(path, hold).await? {
                    return Ok(Verdict::Short(Box::new(shortage)));
                }
                if !holds::insert(self.page, hold, self.desk.lease).await? {
                    return Ok(Verdict::Repeated);
                }
                self.desk.live.insert((self.org, hold.id, hold.attempt));
                for limit in path.iter() {
                    let amount = limit.takes(&hold.amounts);
                    self.change(limit, |balance| balance.hold(amount)).await?;
                }
                Ok(Verdict::Held)
            }
            Task::End { open, charge, .. } => {
                let (hold, path) = (&open.hold, &open.path);
                if self.desk.again && entries::find(self.page, hold.id, hold.attempt).await?.is_some() {
                    return Ok(Verdict::Done);
                }
                // Known before the row is there: a balance that is derived now must not count it twice.
                for limit in path.iter() {
                    self.balance(limit).await?;
                }
                // The hold first: where it is gone, its lease ran out and somebody ended it as lost, which stands, or the organisation
                // was erased, and nothing must be written any more.
                let ended = holds::delete(self.page, hold.id, hold.attempt).await?;
                if ended.is_none() || !entries::insert(self.page, hold, charge).await? {
                    metrics::counter!("rowhouse_alarms_total", "alarm" => "ledger_late_settle").increment(1);
                    tracing::error!(alarm = "ledger_late_settle", org = %self.org, id = %hold.id, "a call was settled after its lease ran out");
                    return Ok(Verdict::Done);
                }
                if ended == Some(true) {
                    // It was taken from limits that may not be those it is counted to by now.
                    self.forget().await?;
                    return Ok(Verdict::Done);
                }
                for limit in path.iter() {
                    let (taken, used) = (limit.takes(&hold.amounts), limit.takes(&charge.amounts));
                    self.change(limit, |balance| balance.end(taken, used)).await?;
                    self.watch(limit).await?;
                }
                Ok(Verdict::Done)
            }
            Task::Renew { id, attempt } => {
                holds::renew(self.page, *id, *attempt, self.desk.lease).await?;
                Ok(Verdict::Done)
            }
            Task::Sweep { .. } => {
                self.sweep(true).await?;
                Ok(Verdict::Done)
            }
            Task::Watch { limits, .. } => {
                // All of them: of thresholds that were added since, some may lie below what is noted.
                for limit in limits.iter() {
                    let balance = self.balance(limit).await?;
                    self.note(limit, limit.reached(balance.settled).collect()).await?;
                }
                Ok(Verdict::Done)
            }
            Task::Forget { .. } => {
                holds::moved(self.page).await?;
                self.forget().await?;
                Ok(Verdict::Done)
            }
        }
    }

    /// The first limit that has no room for a hold. Before somebody is refused, holds of dead programs are looked for, and the limit's
    /// thresholds are noted.
    async fn shortage(&mut self, path: &[Limit], hold: &holds::Hold) -> store::Result<Option<Shortage>> {
        let mut found = self.first_shortage(path, hold).await?;
        if found.as_ref().is_some_and(|shortage| shortage.held > 0) && self.sweep(true).await? {
            found = self.first_shortage(path, hold).await?;
        }
        if let Some(limit) = found.as_ref().and_then(|shortage| path.iter().find(|limit| shortage.is_of(limit))) {
            self.watch(limit).await?;
        }
        Ok(found)
    }

    async fn first_shortage(&mut self, path: &[Limit], hold: &holds::Hold) -> store::Result<Option<Shortage>> {
        for limit in path {
            let balance = self.balance(limit).await?;
            if let Some(shortage) = limit.shortage(balance, limit.takes(&hold.amounts)) {
                return Ok(Some(shortage));
            }
        }
        Ok(None)
    }

    async fn balance(&mut self, limit: &Limit) -> store::Result<Balance> {
        let key = (self.org, name(limit));
        if let Some(known) = self.desk.balances.get(&key) {
            return Ok(*known);
        }
        let (balance, derived) = balance::load(self.page, limit).await?;
        self.desk.balances.insert(key, balance);
        if derived {
            // What was used before anybody watched, too.
            self.note(limit, limit.reached(balance.settled).collect()).await?;
        }
        Ok(balance)
    }

    async fn change(&mut self, limit: &Limit, change: impl FnOnce(&mut Balance)) -> store::Result<()> {
        let mut balance = self.balance(limit).await?;
        change(&mut balance);
        self.desk.balances.insert((self.org, name(limit)), balance);
        self.changed.push(name(limit));
        Ok(())
    }

    /// Notes which thresholds are reached that may not be noted yet.
    async fn watch(&mut self, limit: &Limit) -> store::Result<()> {
        let balance = self.balance(limit).await?;
        self.note(limit, self.desk.marks.fresh(self.org, limit, balance.settled)).await
    }

    async fn note(&mut self, limit: &Limit, reached: Vec<i64>) -> store::Result<()> {
        for percent in reached {
            if alerts::insert(self.page, limit.key, limit.span.from, percent).await? {
                self.news = true;
            }
            self.noted.push((self.org, name(limit), percent));
        }
        Ok(())
    }

    /// Ends the holds of programs that died as lost, which costs nothing; says whether there were any. Without need it is done a
    /// few times in the length of a lease.
    async fn sweep(&mut self, needed: bool) -> store::Result<bool> {
        let now = self.page.now();
        let last = locked(&self.desk.swept).get(&self.org).copied();
        if !needed && last.is_some_and(|last| now.since(last) < self.desk.lease / 4 && last <= now) {
            return Ok(false);
        }
        locked(&self.desk.swept).insert(self.org, now);
        let all = holds::list(self.page).await?;
        let died = |hold: &holds::Hold, expired| {
            (expired || self.desk.alone) && !self.desk.live.contains(&(self.org, hold.id, hold.attempt))
        };
        let dead: Vec<_> =
            all.into_iter().filter(|(hold, expired)| died(hold, *expired)).map(|(hold, _)| hold).collect();
        for hold in &dead {
            entries::insert(self.page, hold, &Charge::nothing(Outcome::Lost)).await?;
            holds::delete(self.page, hold.id, hold.attempt).await?;
        }
        // Whoever was to tell of them may have failed, or have had no room for the news.
        if !alerts::untold(self.page).await?.is_empty() {
            self.news = true;
        }
        if dead.is_empty() {
            return Ok(false);
        }
        metrics::counter!("rowhouse_ledger_lost_total").increment(u64::try_from(dead.len()).unwrap_or(u64::MAX));
        tracing::warn!(org = %self.org, lost = dead.len(), "holds of a program that died were released");
        self.forget().await?;
        Ok(true)
    }

    async fn forget(&mut self) -> store::Result<()> {
        balances::clear(self.page).await?;
        self.desk.balances.retain(|(org, ..), _| *org != self.org);
        self.changed.clear();
        Ok(())
    }
}
