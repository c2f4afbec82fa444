//! What one program knows of each organisation's books without asking the database: what it holds there, and, where nobody else
//! writes, the counters. By them a hold is taken and ended in memory; what ended is written with whatever else is, in one commit, before
//! anybody is told that it is settled.
//!
//! An organisation's counters are here only while nothing is done for it at the desk; meanwhile all goes through the line.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use domain::limits::LimitKey;
use domain::{OrgId, Time, UsageId};
use store::ledger::balances::Balance;
use store::ledger::entries::Charge;
use store::{Scope, Store};
use tokio::sync::oneshot;

use crate::books::locked;
use crate::held::Open;
use crate::limit::{Limit, Shortage};
use crate::marks::Marks;

/// Counters that are remembered at most; beyond that all are forgotten of whom nothing is under way.
const REMEMBERED: usize = 200_000;
/// How long a call goes on before it stands in the table of holds, for those who look there.
const YOUNG: Duration = Duration::from_secs(1);

/// A map whose keys are ids that were made here, which nobody can choose so that they fall together: each call looks into it some forty
/// times.
pub(crate) type Map<K, V> = HashMap<K, V, foldhash::fast::RandomState>;

/// What names a counter within an organisation: a limit, and when its period began.
pub(crate) type Name = (LimitKey, Time);
/// The organisations for which something is done at the desk.
pub(crate) type Tasks = BTreeMap<OrgId, Scope>;
/// What names a call that is under way.
pub(crate) type Call = (OrgId, UsageId, i64);
pub(crate) type Reply = oneshot::Sender<store::Result<()>>;

/// The accounts of all organisations.
#[derive(Default)]
pub(crate) struct Accounts(Mutex<State>);

#[derive(Default)]
struct State {
    by_org: Map<OrgId, Account>,
    counters: usize,
    ended: Vec<Ended>,
    /// How many of those that ended are being written.
    writing: usize,
    /// When calls that go on were last looked for.
    looked: Option<Instant>,
}

struct Account {
    scope: Scope,
    counters: Map<Name, Counter>,
    live: Map<(UsageId, i64), Live>,
    /// Something is done for it at the desk.
    away: bool,
    /// What was written of it last is not known: its counters are to be derived.
    doubtful: bool,
}

#[derive(Clone, Copy)]
struct Counter {
    balance: Balance,
    /// What of the balance is held by calls that stand in the table.
    tabled: i64,
    /// Not written since.
    changed: bool,
}

/// A call under way.
struct Live {
    open: Arc<Open>,
    since: Instant,
    /// Its hold may stand in the table.
    tabled: bool,
    /// The past counts differently since it was taken.
    moved: bool,
}

/// A call that ended in memory and is to be written.
pub(crate) struct Ended {
    pub(crate) open: Arc<Open>,
    pub(crate) charge: Charge,
    pub(crate) tabled: bool,
    /// Thresholds that it passed.
    pub(crate) passed: Vec<(Name, i64)>,
    pub(crate) reply: Option<Reply>,
}

/// What is to be written beside the tasks of a batch.
#[derive(Default)]
pub(crate) struct Due {
    pub(crate) ended: Vec<Ended>,
    /// Holds that are to stand in the table.
    pub(crate) holds: Vec<Arc<Open>>,
    pub(crate) counters: Vec<(Scope, Name, Balance)>,
    /// The counters of organisations for which something is done at the desk.
    pub(crate) known: HashMap<(OrgId, Name), Balance>,
    /// Organisations whose counters are to be derived.
    pub(crate) doubtful: Vec<Scope>,
}

impl Due {
    /// Somebody's scope, for a transaction of all.
    pub(crate) fn scope(&self) -> Option<&Scope> {
        let holds = self.ended.iter().map(|ended| &ended.open).chain(&self.holds);
        holds.map(|open| &open.scope).chain(self.counters.iter().map(|(scope, ..)| scope)).next()
    }
}

impl Accounts {
    /// Takes a hold at all limits on its path or at none. None when that is not known here.
    pub(crate) fn hold(&self, open: &Arc<Open>) -> Option<Result<(), Box<Shortage>>> {
        let mut state = locked(&self.0);
        let account = state.by_org.get_mut(&open.scope.org()).filter(|account| !account.away)?;
        if account.live.contains_key(&open.key()) {
            return None;
        }
        for limit in open.path.iter() {
            let counter = account.counters.get(&name(limit))?;
            if let Some(shortage) = limit.shortage(counter.balance, limit.takes(&open.hold.amounts)) {
                return Some(Err(Box::new(shortage)));
            }
        }
        account.change(open, |counter, amount| counter.balance.hold(amount));
        account.live.insert(open.key(), Live::new(open.clone(), false));
        Some(Ok(()))
    }

    /// Takes back a hold as if it had never been. False when it stands in the table by now.
    pub(crate) fn undo(&self, open: &Open) -> bool {
        let mut state = locked(&self.0);
        let Some(account) = state.by_org.get_mut(&open.scope.org()).filter(|account| !account.away) else {
            return false;
        };
        if account.live.get(&open.key()).is_none_or(|live| live.tabled) {
            return false;
        }
        account.live.remove(&open.key());
        account.change(open, |counter, amount| counter.balance.held = counter.balance.held.saturating_sub(amount));
        true
    }

    /// Ends a hold; it is written with the next batch. Gives the reply back when that cannot be done here.
    pub(crate) fn end(
        &self,
        open: &Arc<Open>,
        charge: Charge,
        marks: &Marks,
        reply: Option<Reply>,
    ) -> Result<(), Option<Reply>> {
        let mut state = locked(&self.0);
        let Some(account) = state.by_org.get_mut(&open.scope.org()).filter(|account| !account.away) else {
            return Err(reply);
        };
        let known = open.path.iter().all(|limit| account.counters.contains_key(&name(limit)));
        let live = account.live.get(&open.key()).filter(|live| known && !live.moved);
        let Some(tabled) = live.map(|live| live.tabled) else { return Err(reply) };
        account.live.remove(&open.key());
        let mut passed = Vec::new();
        for limit in open.path.iter() {
            let Some(counter) = account.counters.get_mut(&name(limit)) else { continue };
            let (held, used) = (limit.takes(&open.hold.amounts), limit.takes(&charge.amounts));
            counter.balance.end(held, used);
            if tabled {
                counter.tabled = counter.tabled.saturating_sub(held).max(0);
            }
            counter.changed = true;
            let fresh = marks.fresh(open.scope.org(), limit, counter.balance.settled);
            passed.extend(fresh.into_iter().map(|percent| (name(limit), percent)));
        }
        state.ended.push(Ended { open: open.clone(), charge, tabled, passed, reply });
        Ok(())
    }

    /// Remembers a hold that was taken at the desk.
    pub(crate) fn began(&self, open: Arc<Open>) {
        let mut state = locked(&self.0);
        let account = state.account(&open.scope);
        account.live.insert(open.key(), Live::new(open, true));
    }

    /// Forgets a hold that was ended at the desk.
    pub(crate) fn is_over(&self, open: &Open) {
        let mut state = locked(&self.0);
        if let Some(account) = state.by_org.get_mut(&open.scope.org()) {
            account.live.remove(&open.key());
            if account.is_idle() {
                state.by_org.remove(&open.scope.org());
            }
        }
    }

    /// What is under way.
    pub(crate) fn live(&self) -> Vec<Arc<Open>> {
        let state = locked(&self.0);
        state.by_org.values().flat_map(|account| account.live.values().map(|live| live.open.clone())).collect()
    }

    /// What names the calls that are under way in organisations.
    pub(crate) fn under_way(&self, tasks: &Tasks) -> HashSet<Call> {
        let state = locked(&self.0);
        let accounts = tasks.keys().filter_map(|org| Some((*org, state.by_org.get(org)?)));
        accounts.flat_map(|(org, account)| account.live.keys().map(move |(id, attempt)| (org, *id, *attempt))).collect()
    }

    /// How many calls are under way, or ended and not written yet.
    pub(crate) fn count(&self) -> usize {
        let state = locked(&self.0);
        let live: usize = state.by_org.values().map(|account| account.live.len()).sum();
        live + state.ended.len() + state.writing
    }

    /// How many calls ended since the last batch.
    pub(crate) fn ended(&self) -> usize {
        locked(&self.0).ended.len()
    }

    /// Whether something waits to be written.
    pub(crate) fn is_due(&self) -> bool {
        let state = locked(&self.0);
        !state.ended.is_empty() || (state.is_time_to_look() && state.by_org.values().any(Account::has_old))
    }

    /// Takes what is to be written. Of organisations with tasks that is all there is, and they are away until they are brought back;
    /// of those that are recounted, what is under way is moved.
    pub(crate) fn take(&self, tasks: &Tasks, recounted: &BTreeSet<OrgId>) -> Due {
        let mut guard = locked(&self.0);
        let state = &mut *guard;
        let mut due = Due { ended: std::mem::take(&mut state.ended), ..Due::default() };
        state.writing = due.ended.len();
        let look = state.is_time_to_look();
        if look {
            state.looked = Some(Instant::now());
        }
        for scope in tasks.values() {
            state.account(scope).away = true;
        }
        let ended = due.ended.iter().map(|ended| ended.open.scope.org());
        let touched: BTreeSet<OrgId> = ended.chain(tasks.keys().copied()).collect();
        let orgs: Vec<OrgId> =
            if look { state.by_org.keys().copied().collect() } else { touched.into_iter().collect() };
        for org in orgs {
            if let Some(account) = state.by_org.get_mut(&org) {
                account.write(look, recounted.contains(&org), &mut due);
            }
        }
        state.counters = state.counters.saturating_sub(due.known.len());
        due
    }

    /// Brings organisations back, with their counters as they are written.
    pub(crate) fn bring_back(&self, tasks: &Tasks, known: HashMap<(OrgId, Name), Balance>) {
        let mut guard = locked(&self.0);
        let state = &mut *guard;
        state.writing = 0;
        state.counters += known.len();
        for ((org, name), balance) in known {
            if let Some(account) = state.by_org.get_mut(&org) {
                account.counters.insert(name, Counter { balance, tabled: balance.held, changed: false });
            }
        }
        for org in tasks.keys() {
            if let Some(account) = state.by_org.get_mut(org) {
                (account.away, account.doubtful) = (false, false);
                if account.is_idle() {
                    state.by_org.remove(org);
                }
            }
        }
        if state.counters > REMEMBERED {
            let ending: BTreeSet<OrgId> = state.ended.iter().map(|ended| ended.open.scope.org()).collect();
            state.by_org.retain(|org, account| account.away || !account.live.is_empty() || ending.contains(org));
            state.count();
        }
    }

    /// After a batch that could not be written: what it was about goes through the line, and is counted anew. Gives what ended, and is
    /// under way again.
    pub(crate) fn doubt(&self, tasks: &Tasks, due: Due) -> Vec<Ended> {
        let mut guard = locked(&self.0);
        let state = &mut *guard;
        state.writing = 0;
        let mut scopes: Vec<Scope> = tasks.values().cloned().collect();
        scopes.extend(due.counters.into_iter().map(|(scope, ..)| scope));
        scopes.extend(due.holds.iter().chain(due.ended.iter().map(|ended| &ended.open)).map(|open| open.scope.clone()));
        for scope in &scopes {
            let account = state.account(scope);
            account.counters.clear();
            (account.away, account.doubtful) = (false, true);
        }
        let orgs: BTreeSet<OrgId> = scopes.iter().map(Scope::org).collect();
        let meanwhile = std::mem::take(&mut state.ended).into_iter();
        let (back, others): (Vec<_>, Vec<_>) =
            due.ended.into_iter().chain(meanwhile).partition(|ended| orgs.contains(&ended.open.scope.org()));
        state.ended = others;
        for ended in &back {
            state.account(&ended.open.scope).live.insert(ended.open.key(), Live::new(ended.open.clone(), true));
        }
        state.count();
        back
    }

    /// Begins the log of holds anew, with those that stand in no table yet.
    pub(crate) fn renew_log(&self, store: &Store) -> store::Result<()> {
        let state = locked(&self.0);
        // Of what was written last where nobody knows whether it was, all is kept.
        let missing = state.by_org.values().flat_map(|account| {
            account.live.values().filter(|live| !live.tabled || account.doubtful).map(|live| &live.open)
        });
        let kept = missing.chain(state.ended.iter().map(|ended| &ended.open));
        store.renew_hold_log(kept.map(|open| (&open.scope, &open.hold)))
    }
}

impl State {
    fn account(&mut self, scope: &Scope) -> &mut Account {
        self.by_org.entry(scope.org()).or_insert_with(|| Account {
            scope: scope.clone(),
            counters: Map::default(),
            live: Map::default(),
            away: false,
            doubtful: false,
        })
    }

    fn is_time_to_look(&self) -> bool {
        self.looked.is_none_or(|at| at.elapsed() >= YOUNG)
    }

    fn count(&mut self) {
        self.counters = self.by_org.values().map(|account| account.counters.len()).sum();
    }
}

impl Account {
    /// Puts what is to be written of it on the list.
    fn write(&mut self, look: bool, recounted: bool, due: &mut Due) {
        let (org, first) = (self.scope.org(), due.holds.len());
        if self.away || look {
            for live in self.live.values_mut() {
                live.moved |= recounted;
                let missing = if self.away { self.doubtful || !live.tabled } else { !live.tabled && live.is_old() };
                if missing {
                    live.tabled = true;
                    due.holds.push(live.open.clone());
                }
            }
        }
        for open in &due.holds[first..] {
            for limit in open.path.iter() {
                if let Some(counter) = self.counters.get_mut(&name(limit)) {
                    counter.tabled = counter.tabled.saturating_add(limit.takes(&open.hold.amounts));
                    counter.changed = true;
                }
            }
        }
        for (name, counter) in &mut self.counters {
            if std::mem::take(&mut counter.changed) {
                let written = Balance { held: counter.tabled, settled: counter.balance.settled };
                due.counters.push((self.scope.clone(), *name, written));
            }
        }
        if self.away {
            due.known.extend(self.counters.drain().map(|(name, counter)| ((org, name), counter.balance)));
            if self.doubtful {
                due.doubtful.push(self.scope.clone());
            }
        }
    }

    fn change(&mut self, open: &Open, change: impl Fn(&mut Counter, i64)) {
        for limit in open.path.iter() {
            if let Some(counter) = self.counters.get_mut(&name(limit)) {
                change(counter, limit.takes(&open.hold.amounts));
            }
        }
    }

    fn has_old(&self) -> bool {
        self.live.values().any(|live| !live.tabled && live.is_old())
    }

    fn is_idle(&self) -> bool {
        self.live.is_empty() && self.counters.is_empty() && !self.away && !self.doubtful
    }
}

impl Live {
    fn new(open: Arc<Open>, tabled: bool) -> Self {
        Self { open, since: Instant::now(), tabled, moved: false }
    }

    fn is_old(&self) -> bool {
        self.since.elapsed() >= YOUNG
    }
}

pub(crate) fn name(limit: &Limit) -> Name {
    (limit.key, limit.span.from)
}

impl Open {
    /// What names it among the calls of its organisation.
    pub(crate) fn key(&self) -> (UsageId, i64) {
        (self.hold.id, self.hold.attempt)
    }
}
