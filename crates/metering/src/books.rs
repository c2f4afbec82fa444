//! The books of all organisations: holds, settles and releases, each durable before anybody is told of it.
//!
//! Writers stand in line and are served in batches, so that calls which arrive together share one commit and one flush. On the
//! embedded engine there is one line for all; on PostgreSQL one per organisation, whose advisory lock parts the nodes.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::limits::Amounts;
use domain::{HolderId, OrgId, Time, UsageId};
use store::ledger::balances::Balance;
use store::ledger::entries::Charge;
use store::ledger::holds::{Hold, Purpose};
use store::{Engine, Scope, Store};
use tokio::sync::{Notify, mpsc, oneshot};

use crate::accounts::{Accounts, Due, Reply, Tasks};
use crate::balance;
use crate::desk::{Desk, Swept};
use crate::held::{Held, Open};
use crate::limit::{Limit, Path, Refused, Shortage};
use crate::line::{Line, Op, Task, Verdict};
use crate::marks::Marks;
use crate::upkeep::{flush, flush_now_and_then, renew_now_and_then};

/// How many operations one transaction serves at most.
const BATCH: usize = 256;
/// How often a batch lets others run before it is written.
const ROUNDS: usize = 4;
/// How often a settle is tried when the store fails, and how long between tries at first; the pauses double.
const TRIES: u32 = 8;
const PAUSE: Duration = Duration::from_millis(50);
/// How long an orderly end waits for what is held: whoever held it has been told to end.
const LAST: Duration = Duration::from_secs(2);
/// Organisations that wait to be told that a threshold was passed.
const NEWS: usize = 1024;

/// How the books are kept.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// How long a hold outlives its program.
    pub lease: Duration,
    /// After how long at most what was settled survives a power cut.
    pub flush: Duration,
    /// Whether a settle waits for the flush, and fails when that does.
    pub strict: bool,
    /// How many calls may wait for the books; more are refused at once.
    pub queue: usize,
}

impl Default for Settings {
    /// A minute; 20 ms, well below the 50 ms that are promised; not strict; 4096 calls.
    fn default() -> Self {
        Self { lease: Duration::from_mins(1), flush: Duration::from_millis(20), strict: false, queue: 4096 }
    }
}

/// The books. Cheap to clone.
#[derive(Clone)]
pub struct Books(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) store: Store,
    pub(crate) settings: Settings,
    holder: HolderId,
    runtime: tokio::runtime::Handle,
    lines: Mutex<HashMap<Option<OrgId>, Line>>,
    /// What this program knows without asking. On PostgreSQL other nodes write too, so that is only what it holds itself.
    pub(crate) accounts: Accounts,
    swept: Swept,
    marks: Marks,
    /// Whether what programs before left in the log of holds is in the table by now.
    recovered: AtomicBool,
    pub(crate) unflushed: Notify,
    news: mpsc::Sender<Scope>,
}

impl std::fmt::Debug for Books {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Books({})", self.0.holder)
    }
}

pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Books {
    /// Opens the books. Whoever has thresholds to tell hears from the receiver in whose organisation; what is not taken from it in
    /// time is told with the next.
    #[must_use]
    pub fn open(store: Store, settings: Settings) -> (Self, mpsc::Receiver<Scope>) {
        let (news, heard) = mpsc::channel(NEWS);
        let holder = store.ambient().id();
        let books = Self(Arc::new(Inner {
            accounts: Accounts::default(),
            swept: Swept::default(),
            marks: Marks::default(),
            recovered: AtomicBool::new(false),
            store,
            settings,
            holder,
            runtime: tokio::runtime::Handle::current(),
            lines: Mutex::default(),
            unflushed: Notify::new(),
            news,
        }));
        tokio::spawn(flush_now_and_then(Arc::downgrade(&books.0)));
        tokio::spawn(renew_now_and_then(Arc::downgrade(&books.0)));
        (books, heard)
    }

    /// Holds an amount at every limit on the path, or at none. It counts in the periods of the path, also when they have ended since
    /// the path was told.
    ///
    /// # Errors
    /// [`Refused::Short`] names the first limit that has no room; [`Refused::Crowded`] when too many wait.
    pub async fn hold(
        &self,
        scope: &Scope,
        (id, attempt): (UsageId, i64),
        mut purpose: Purpose,
        amounts: Amounts,
        path: Path,
    ) -> Result<Held, Refused> {
        purpose.exchange = rates(&path);
        let at = within(&path, self.0.store.ambient().now());
        let hold = Hold { id, attempt, at, holder: self.0.holder, purpose, amounts };
        let open = Arc::new(Open { scope: scope.clone(), hold, path });
        if let Some(taken) = self.hold_in_memory(&open) {
            return taken;
        }
        let (reply, answer) = oneshot::channel();
        if !self.push(Op { scope: scope.clone(), task: Task::Hold { open, reply } }) {
            metrics::counter!("rowhouse_ledger_crowded_total").increment(1);
            return Err(Refused::Crowded);
        }
        answer.await.unwrap_or_else(|_| Err(lost()))
    }

    /// Takes a hold where nobody else writes and all is known; it is noted before it is given.
    fn hold_in_memory(&self, open: &Arc<Open>) -> Option<Result<Held, Refused>> {
        if !self.is_alone() {
            return None;
        }
        if let Err(shortage) = self.0.accounts.hold(open)? {
            self.tell_if_reached(open, &shortage);
            return Some(Err(Refused::Short(shortage)));
        }
        let held = Held { books: self.clone(), open: Some(open.clone()) };
        Some(match self.0.store.note_hold(&open.scope, &open.hold) {
            Ok(()) => Ok(held),
            Err(error) => {
                if self.0.accounts.undo(open) {
                    held.forget();
                }
                Err(Refused::Store(Arc::new(error)))
            }
        })
    }

    /// Sees to it that a refusal is preceded by its thresholds: the limit may have become smaller since somebody was let in.
    fn tell_if_reached(&self, open: &Open, shortage: &Shortage) {
        let (org, short) = (open.scope.org(), open.path.iter().find(|limit| shortage.is_of(limit)));
        if let Some(limit) = short.filter(|limit| !self.0.marks.fresh(org, limit, shortage.used).is_empty()) {
            let limits = [limit.clone()].into();
            self.push(Op { scope: open.scope.clone(), task: Task::Watch { limits, reply: oneshot::channel().0 } });
        }
    }

    /// Ends a hold: in memory where that can be, and else in its turn in the line.
    pub(crate) fn end(&self, open: Arc<Open>, charge: Charge, reply: Option<Reply>) {
        let reply = if self.is_alone() {
            match self.0.accounts.end(&open, charge, &self.0.marks, reply) {
                Ok(()) => return self.wake(None),
                Err(reply) => reply,
            }
        } else {
            reply
        };
        let _ = self.push(Op { scope: open.scope.clone(), task: Task::End { open, charge, reply } });
    }

    /// Whether nobody else writes to the books.
    pub(crate) fn is_alone(&self) -> bool {
        self.0.store.engine() == Engine::Sqlite
    }

    /// The balances of limits, as the books have them now.
    /// # Errors
    /// As the database.
    pub async fn look(&self, scope: &Scope, limits: &[Limit]) -> store::Result<Vec<Balance>> {
        self.sweep(scope).await?;
        let mut tx = self.0.store.read_ledger(scope).await?;
        let mut page = tx.page(scope)?;
        let mut balances = Vec::with_capacity(limits.len());
        for limit in limits {
            let known = store::ledger::balances::find(&mut page, limit.key, limit.span.from).await?;
            balances.push(match known {
                Some(balance) => balance,
                None => balance::derive(&mut page, limit).await?,
            });
        }
        Ok(balances)
    }

    /// Ends the holds of programs that died. Whoever uses the books of an organisation does this now and then; to ask for it is
    /// only needed before looking.
    /// # Errors
    /// As the database.
    pub async fn sweep(&self, scope: &Scope) -> store::Result<()> {
        self.ask(scope, |reply| Task::Sweep { reply }).await
    }

    /// Notes which thresholds of limits are passed already: for limits that were made, or lowered, below what is used.
    /// # Errors
    /// As the database.
    pub async fn watch(&self, scope: &Scope, limits: Path) -> store::Result<()> {
        self.ask(scope, |reply| Task::Watch { limits, reply }).await
    }

    /// Says that the past counts differently from now on: a team was moved, or the organisation's clocks. All its balances are
    /// derived anew.
    /// # Errors
    /// As the database.
    pub async fn forget(&self, scope: &Scope) -> store::Result<()> {
        self.ask(scope, |reply| Task::Forget { reply }).await
    }

    async fn ask(
        &self,
        scope: &Scope,
        task: impl FnOnce(oneshot::Sender<store::Result<()>>) -> Task,
    ) -> store::Result<()> {
        let (reply, answer) = oneshot::channel();
        if !self.push(Op { scope: scope.clone(), task: task(reply) }) {
            return Err(store::Error::Busy("too many calls wait for the ledger"));
        }
        answer.await.unwrap_or(Err(store::Error::Busy("the ledger stopped")))
    }

    /// Waits until nobody stands in line, and for a while until nothing is held, then flushes: for an orderly end.
    /// # Errors
    /// As the disk.
    pub async fn close(&self) -> store::Result<()> {
        let deadline = tokio::time::Instant::now() + LAST;
        let waits = || locked(&self.0.lines).values().any(|line| line.served);
        while waits() || (self.held() > 0 && tokio::time::Instant::now() < deadline) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        flush(&self.0.store).await
    }

    /// How many amounts this program holds.
    #[must_use]
    pub fn held(&self) -> usize {
        self.0.accounts.count()
    }

    /// Puts a task in line; false when it may not wait. Only what begins something is refused: each hold owes one end, so the ends
    /// are as bounded as the holds.
    pub(crate) fn push(&self, op: Op) -> bool {
        let key = if self.is_alone() { None } else { Some(op.scope.org()) };
        let may_be_refused = matches!(op.task, Task::Hold { .. } | Task::Sweep { .. } | Task::Watch { .. });
        {
            let mut lines = locked(&self.0.lines);
            let line = lines.entry(key).or_default();
            if may_be_refused && line.waiting.len() >= self.0.settings.queue {
                return false;
            }
            line.waiting.push_back(op);
        }
        self.wake(key);
        true
    }

    /// Sees to it that a line is served.
    fn wake(&self, key: Option<OrgId>) {
        let mut lines = locked(&self.0.lines);
        if !std::mem::replace(&mut lines.entry(key).or_default().served, true) {
            let books = self.clone();
            self.0.runtime.spawn(async move { books.serve(key).await });
        }
    }

    /// Sees to it that what has been under way for a while stands in the table, for those who look there.
    pub(crate) fn tidy(&self) {
        if self.is_alone() && self.0.accounts.is_due() {
            self.wake(None);
        }
    }

    async fn serve(&self, key: Option<OrgId>) {
        loop {
            self.gather(key).await;
            let batch: Vec<Op> = {
                let mut lines = locked(&self.0.lines);
                let Some(line) = lines.get_mut(&key) else { return };
                if line.waiting.is_empty() && !(key.is_none() && self.0.accounts.is_due()) {
                    lines.remove(&key);
                    return;
                }
                let count = line.waiting.len().min(BATCH);
                line.waiting.drain(..count).collect()
            };
            self.serve_batch(batch, key).await;
        }
    }

    /// Lets whatever else can run do so first, for as long as that brings more: what is about to come in line shares the commit. Nobody
    /// waits when nothing can run.
    async fn gather(&self, key: Option<OrgId>) {
        let count = || {
            let waiting = locked(&self.0.lines).get(&key).map_or(0, |line| line.waiting.len());
            waiting + if key.is_none() { self.0.accounts.ended() } else { 0 }
        };
        let mut before = count();
        for _ in 0..ROUNDS {
            tokio::task::yield_now().await;
            let now = count();
            if now == before {
                return;
            }
            before = now;
        }
    }

    /// Serves a batch; when that fails one by one, so that one that cannot be written does not stop the others.
    async fn serve_batch(&self, batch: Vec<Op>, key: Option<OrgId>) {
        let Err((batch, error)) = self.post(batch, key, false).await else { return };
        tracing::warn!(%error, tasks = batch.len(), "a batch of the ledger failed");
        let mut left = VecDeque::from(batch);
        while let Some(mut op) = left.pop_front() {
            let mut pause = PAUSE;
            for tried in 1.. {
                match self.post(vec![op], key, true).await {
                    Ok(()) => break,
                    Err((back, error)) => {
                        let mut back = VecDeque::from(back);
                        let Some(again) = back.pop_front() else { break };
                        op = again;
                        // What ended in memory meanwhile.
                        left.extend(back);
                        if tried >= TRIES || !matches!(op.task, Task::End { .. }) {
                            self.give_up(op, error);
                            break;
                        }
                        tokio::time::sleep(pause).await;
                        pause *= 2;
                    }
                }
            }
        }
    }

    fn give_up(&self, op: Op, error: store::Error) {
        match op.task {
            Task::Hold { reply, .. } => drop(reply.send(Err(Refused::Store(Arc::new(error))))),
            Task::End { open, reply, .. } => {
                self.0.accounts.is_over(&open);
                metrics::counter!("rowhouse_alarms_total", "alarm" => "ledger_settle_lost").increment(1);
                tracing::error!(alarm = "ledger_settle_lost", %error, org = %op.scope.org(), id = %open.hold.id, "a settle could not be written; the hold ends with its lease");
                if let Some(reply) = reply {
                    let _ = reply.send(Err(error));
                }
            }
            Task::Sweep { reply } | Task::Forget { reply } | Task::Watch { reply, .. } => drop(reply.send(Err(error))),
            Task::Renew { .. } => tracing::warn!(%error, "a lease could not be prolonged"),
        }
    }

    /// Writes a batch, and on the embedded engine what was done in memory, in one transaction, and tells everybody. Gives back what was
    /// not written, or of which nobody knows whether it was; that is to be posted again as such.
    async fn post(&self, batch: Vec<Op>, key: Option<OrgId>, again: bool) -> Result<(), (Vec<Op>, store::Error)> {
        if let Err(error) = self.recover().await {
            return Err((batch, error));
        }
        let tasks: Tasks = batch.iter().map(|op| (op.scope.org(), op.scope.clone())).collect();
        let recounted = batch.iter().filter(|op| matches!(op.task, Task::Forget { .. })).map(|op| op.scope.org());
        let alone = key.is_none();
        let mut due = if alone { self.0.accounts.take(&tasks, &recounted.collect()) } else { Due::default() };
        let mut desk = Desk {
            lease: self.0.settings.lease,
            alone,
            again,
            swept: self.0.swept.clone(),
            marks: self.0.marks.clone(),
            balances: std::mem::take(&mut due.known),
            live: self.0.accounts.under_way(&tasks),
        };
        let (verdicts, news) = match desk.post(&self.0.store, &due, &batch).await {
            Ok(done) => done,
            Err(error) => {
                locked(&self.0.swept).clear();
                let mut batch = batch;
                if alone {
                    let back = self.0.accounts.doubt(&tasks, due).into_iter();
                    batch.extend(back.map(|ended| Op {
                        scope: ended.open.scope.clone(),
                        task: Task::End { open: ended.open, charge: ended.charge, reply: ended.reply },
                    }));
                }
                return Err((batch, error));
            }
        };
        let ends = !due.ended.is_empty() || batch.iter().any(|op| matches!(op.task, Task::End { .. }));
        let mut flushed = Ok(());
        if ends && self.0.store.ledger_needs_flushing() {
            if self.0.settings.strict {
                flushed = flush(&self.0.store).await;
            } else {
                self.0.unflushed.notify_one();
            }
        }
        for scope in news {
            let _ = self.0.news.try_send(scope);
        }
        if alone {
            // First: whoever is told goes on in memory.
            self.0.accounts.bring_back(&tasks, desk.balances);
        }
        for (op, verdict) in batch.into_iter().zip(verdicts) {
            self.tell(op, verdict, &flushed);
        }
        if alone {
            for reply in due.ended.into_iter().filter_map(|ended| ended.reply) {
                let _ = reply.send(copied(&flushed));
            }
            self.keep_log_short();
        }
        Ok(())
    }

    /// Finds what programs before this one left in the log of holds, once.
    async fn recover(&self) -> store::Result<()> {
        if !self.0.recovered.load(Ordering::Acquire) {
            self.0.store.recover_holds().await?;
            self.0.recovered.store(true, Ordering::Release);
        }
        Ok(())
    }

    fn keep_log_short(&self) {
        if self.0.store.hold_log_is_long()
            && let Err(error) = self.0.accounts.renew_log(&self.0.store)
        {
            tracing::error!(%error, "the log of holds could not be begun anew");
        }
    }

    fn tell(&self, op: Op, verdict: Verdict, flushed: &store::Result<()>) {
        match (op.task, verdict) {
            (Task::Hold { open, reply }, Verdict::Held) => {
                self.0.accounts.began(open.clone());
                // Whoever asked may be gone: then the hold comes back here, is dropped, and so released.
                let _ = reply.send(Ok(Held { books: self.clone(), open: Some(open) }));
            }
            (Task::Hold { reply, .. }, Verdict::Short(shortage)) => drop(reply.send(Err(Refused::Short(shortage)))),
            (Task::Hold { reply, .. }, _) => {
                let error = store::Error::Taken("attempt");
                let _ = reply.send(Err(Refused::Store(Arc::new(error))));
            }
            (Task::End { open, reply, .. }, _) => {
                self.0.accounts.is_over(&open);
                if let Some(reply) = reply {
                    let _ = reply.send(copied(flushed));
                }
            }
            (Task::Sweep { reply } | Task::Forget { reply } | Task::Watch { reply, .. }, _) => drop(reply.send(Ok(()))),
            (Task::Renew { .. }, _) => {}
        }
    }
}

fn copied(flushed: &store::Result<()>) -> store::Result<()> {
    flushed.as_ref().copied().map_err(|error| store::Error::Disk(error.to_string()))
}

/// A time in all periods of a path, the nearest to the one given: the rows must say of themselves where their limits count them.
fn within(path: &[Limit], time: Time) -> Time {
    let begun = path.iter().map(|limit| limit.span.from).fold(time, Time::max);
    let ends = path.iter().filter_map(|limit| limit.span.until).min();
    ends.map_or(begun, |ends| begun.min(ends - Duration::from_micros(1)))
}

/// The rates at which budgets on a path are charged, as they stand on the row.
fn rates(path: &[Limit]) -> Option<String> {
    let rates: Vec<_> = path.iter().filter_map(|limit| limit.exchange.as_ref()).collect();
    if rates.is_empty() { None } else { serde_json::to_string(&rates).ok() }
}

fn lost() -> Refused {
    Refused::Store(Arc::new(store::Error::Busy("the ledger stopped")))
}
