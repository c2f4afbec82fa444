//! The open organisation files: opened lazily, bounded in number, the longest unused closed first. One bad file stops its own
//! organisation and nobody else.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use domain::{Id, OrgId, Time};
use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, UTIME_OMIT};
use tokio::sync::OnceCell;

use crate::cold::stub_of;
use crate::error::{Error, Result};
use crate::keys::{Secret, make_private_folder};
use crate::migrate::{self, Migration};
use crate::sql::sqlite::{File, Watch, check_pages, translate};
use crate::troubles::{Stamp, Troubles};

/// What stays free on the disk for removals, changes and the control database: nothing is added to organisations' files when less
/// is free.
const RESERVE: u64 = 16 << 20;
/// Every page of a file that is not larger is read when it is opened; damage to a larger one is seen when it is touched.
const READ_WHOLE: u64 = 1 << 20;

/// How long a request waits for a place among the open files, and how often it looks. Transactions are short, so there is one soon.
const SLOT_LIMIT: Duration = Duration::from_secs(2);
const SLOT_PAUSE: Duration = Duration::from_millis(2);

pub(crate) struct Files {
    folder: PathBuf,
    /// A folder that exists from the beginning on the same disk.
    disk: PathBuf,
    cache_kib: u32,
    /// How a file comes to the newest schema.
    steps: &'static [Migration],
    most: usize,
    uses: AtomicU64,
    slots: Mutex<HashMap<OrgId, Slot>>,
    troubles: Arc<Troubles>,
}

/// An open file; empty until it is opened.
type Cell = Arc<OnceCell<Arc<File>>>;

struct Slot {
    used: u64,
    /// When it was last used; a time that the caller told.
    used_at: Time,
    file: Cell,
}

impl Files {
    pub(crate) fn new(folder: PathBuf, most: usize, cache_kib: u32, steps: &'static [Migration]) -> Self {
        let disk = folder.parent().unwrap_or(&folder).to_owned();
        Self {
            folder,
            disk,
            cache_kib,
            steps,
            most,
            uses: AtomicU64::new(0),
            slots: Mutex::default(),
            troubles: Arc::default(),
        }
    }

    /// Where an organisation's file is: by its id, never by a name.
    pub(crate) fn path(&self, org: OrgId) -> PathBuf {
        let hex = org.uuid().simple().to_string();
        // The last digits of a UUIDv7 are random, so the folders fill evenly.
        self.folder.join(&hex[30..]).join(format!("{hex}.db"))
    }

    /// Gives the open file, opening it first when it is closed, or when what is open is not what stands at its path any more. One that
    /// lies elsewhere is woken before.
    pub(crate) async fn get(
        &self,
        org: OrgId,
        now: Time,
        key: impl AsyncFnOnce() -> Result<Secret>,
        wake: impl AsyncFnOnce() -> Result<()>,
    ) -> Result<Arc<File>> {
        let mut cell = self.slot(org, now).await?;
        if cell.get().is_some_and(|file| !file.is_sound()) {
            self.troubles.suspect(org);
            self.close(org, &cell);
            cell = self.slot(org, now).await?;
        }
        let opened = cell.get_or_try_init(async || {
            let path = self.path(org);
            if !self.stands(org) {
                wake().await?;
            }
            if let Some(verdict) = self.troubles.verdict(org, Stamp::of(&path)) {
                return Err(verdict);
            }
            // An organisation whose key does not open is as lost as one whose file does not.
            let key = key().await.map_err(|error| match error {
                Error::Sealed(_) | Error::Setup(_) => self.troubles.condemn(org, None, &format!("its key: {error}")),
                other => other,
            })?;
            let opening =
                Opening { path, key, cache_kib: self.cache_kib, steps: self.steps, watch: self.watch(org), now };
            tokio::task::spawn_blocking(move || opening.open().map(Arc::new))
                .await
                .map_err(|error| Error::bug(error.to_string()))?
        });
        opened.await.cloned()
    }

    /// Whether there is room to add to an organisation's file.
    /// # Errors
    /// [`Error::Damaged`] while the organisation is only read.
    pub(crate) fn admit_write(&self, org: OrgId) -> Result<bool> {
        self.troubles.check_writable(org)?;
        Ok(self.has_room())
    }

    /// The number of the schema that files are brought to.
    pub(crate) fn newest(&self) -> i64 {
        self.steps.last().map_or(0, |step| step.number)
    }

    /// Whether there is room to add to any file.
    pub(crate) fn has_room(&self) -> bool {
        // Where the system does not say, the write itself will.
        rustix::fs::statvfs(&self.disk).map_or(true, |disk| disk.f_bavail.saturating_mul(disk.f_frsize) >= RESERVE)
    }

    /// The organisations whose files cannot be opened or only be read, as far as somebody tried, and why.
    pub(crate) fn troubled(&self) -> Vec<(OrgId, String)> {
        self.troubles.told()
    }

    fn watch(&self, org: OrgId) -> Watch {
        Watch { org, troubles: self.troubles.clone() }
    }

    /// Makes the file of a new organisation, with its head rows. Blocks.
    pub(crate) fn create(&self, org: OrgId, key: &Secret, now: i64) -> Result<()> {
        let path = self.path(org);
        let fail = |error: std::io::Error| Error::Unavailable(format!("{}: {error}", path.display()));
        make_private_folder(path.parent().unwrap_or(&self.folder)).map_err(fail)?;
        if !self.has_room() {
            return Err(Error::Full);
        }
        create_private(&path).map_err(fail)?;
        let file = File::open(&path, key.derive("file"), self.cache_kib, true, Some(self.watch(org)))?;
        file.exclusively(|connection| {
            migrate::file(connection, self.steps)?;
            let set_up = |connection: &mut rusqlite::Connection| -> rusqlite::Result<()> {
                let transaction = connection.transaction()?;
                let id = org.uuid();
                transaction.execute(
                    "INSERT INTO tenant (one, id, created_at) VALUES (1, ?1, ?2) ON CONFLICT DO NOTHING",
                    rusqlite::params![id.as_bytes().as_slice(), now],
                )?;
                transaction.execute(
                    "INSERT INTO audit_head (one, seq, hash) VALUES (1, 0, zeroblob(32)) ON CONFLICT DO NOTHING",
                    [],
                )?;
                transaction.commit()?;
                connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
            };
            set_up(connection).map_err(|error| translate(&error))
        })
    }

    /// Removes an organisation's file for good, with what stands beside it. Blocks. Whoever still uses it ends on what has no name any
    /// more.
    pub(crate) fn remove(&self, org: OrgId) -> Result<()> {
        let open = self.slots.lock().unwrap_or_else(PoisonError::into_inner).remove(&org);
        drop(open);
        let path = self.path(org);
        let fail = |error: std::io::Error| Error::Unavailable(format!("{}: {error}", path.display()));
        for file in self.all_of(org) {
            match std::fs::remove_file(&file) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(fail(error)),
                _ => {}
            }
        }
        match path.parent().map(std::fs::File::open) {
            Some(Ok(folder)) => folder.sync_all().map_err(fail)?,
            Some(Err(error)) if error.kind() != std::io::ErrorKind::NotFound => return Err(fail(error)),
            _ => {}
        }
        self.troubles.forget(org);
        Ok(())
    }

    /// The files of an organisation that are there.
    pub(crate) fn remains(&self, org: OrgId) -> Vec<String> {
        self.all_of(org).iter().map(|file| file.display().to_string()).collect()
    }

    /// All that stands in the folder of an organisation's file and is its own: the file, its logs, its stub, what was on its way.
    fn all_of(&self, org: OrgId) -> Vec<PathBuf> {
        let path = self.path(org);
        let stem = path.file_stem().map(std::ffi::OsStr::to_os_string).unwrap_or_default();
        let entries = path.parent().and_then(|folder| std::fs::read_dir(folder).ok()).into_iter().flatten();
        let own = entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).filter(|entry| {
            let name = entry.file_name().map(std::ffi::OsStr::as_encoded_bytes).unwrap_or_default();
            name.strip_prefix(stem.as_encoded_bytes()).is_some_and(|rest| rest.starts_with(b"."))
        });
        own.collect()
    }

    /// What was on its way to the place of an organisation's file, or to that of its stub, and did not come there.
    pub(crate) fn drafts(&self, org: OrgId) -> Vec<PathBuf> {
        let is_draft =
            |path: &PathBuf| path.extension().is_some_and(|ending| ending == "thaw" || ending == "cold-draft");
        self.all_of(org).into_iter().filter(is_draft).collect()
    }

    /// How many bytes an organisation's file and its log have; 0 where it is not at its place.
    pub(crate) fn size(&self, org: OrgId) -> u64 {
        let path = self.path(org);
        let log = path.with_extension("db-wal");
        [path, log].iter().filter_map(|file| std::fs::metadata(file).ok()).map(|about| about.len()).sum()
    }

    /// Whether an organisation's file is at its place, and no stub says otherwise.
    pub(crate) fn stands(&self, org: OrgId) -> bool {
        let path = self.path(org);
        path.exists() && !stub_of(&path).exists()
    }

    /// Whether it lies elsewhere.
    pub(crate) fn is_cold(&self, org: OrgId) -> bool {
        let path = self.path(org);
        !path.exists() && stub_of(&path).exists()
    }

    /// Stops an organisation whose file cannot be had, and tells the operator.
    pub(crate) fn condemn(&self, org: OrgId, what: &str) -> Error {
        self.troubles.condemn(org, None, what)
    }

    /// When an organisation's file was last used, unless it is open.
    pub(crate) fn unused_since(&self, org: OrgId) -> Option<Time> {
        let is_open = self.slots.lock().unwrap_or_else(PoisonError::into_inner).contains_key(&org);
        written(&self.path(org)).filter(|_| !is_open).map(Time::from_micros)
    }

    /// Closes an organisation's file unless somebody uses it right now, as one that was last used at the given time. Blocks.
    pub(crate) fn put_back(&self, org: OrgId, used_at: Time) {
        let open = {
            let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
            if slots.get(&org).is_some_and(|slot| !slot.is_idle()) {
                return;
            }
            slots.remove(&org)
        };
        // Outside the lock: closing it writes what its log holds.
        drop(open);
        touch(&self.path(org), used_at);
    }

    /// Closes an organisation's file if nobody used it since the given time, so that it can be moved. Blocks.
    pub(crate) fn at_rest(&self, org: OrgId, since: Time) -> Option<Rest> {
        let path = self.path(org);
        if written(&path)? >= since.micros() {
            return None;
        }
        let open = {
            let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
            if slots.get(&org).is_some_and(|slot| slot.used_at >= since || !slot.is_idle()) {
                return None;
            }
            slots.remove(&org)
        };
        // Outside the lock: closing it writes what its log holds.
        drop(open);
        if stub_of(&path).exists() {
            // Left by a move that was cut off before the file was removed.
            std::fs::remove_file(stub_of(&path)).ok()?;
        }
        let stamp = Stamp::of(&path)?;
        Some(Rest { path, stamp, since })
    }

    /// Whether a log stands beside an organisation's file: it is open, or was when its server died.
    pub(crate) fn has_log(&self, org: OrgId) -> bool {
        has_log(&self.path(org))
    }

    /// Does something with a file while nobody opens it; `None` when somebody used it since it came to rest. Whoever wants to open it
    /// meanwhile waits.
    pub(crate) async fn alone<T: Send + 'static>(
        &self,
        org: OrgId,
        rest: &Rest,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<Option<T>> {
        let cell = Cell::default();
        let before = {
            let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
            if slots.get(&org).is_some_and(|slot| !slot.is_idle()) {
                return Ok(None);
            }
            slots.insert(org, Slot { used: 0, used_at: rest.since, file: cell.clone() })
        };
        let (path, stamp) = (rest.path.clone(), rest.stamp);
        let outcome = cell.get_or_try_init(async || {
            let done = tokio::task::spawn_blocking(move || {
                drop(before);
                if Stamp::of(&path) != Some(stamp) || has_log(&path) {
                    return Ok(None);
                }
                work().map(Some)
            });
            // The cell stays empty: the next one opens what is there then.
            Err::<Arc<File>, _>(done.await.map_err(|error| Error::bug(error.to_string())).flatten())
        });
        let outcome = match outcome.await {
            Ok(_) => Ok(None),
            Err(outcome) => outcome,
        };
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let unwanted = |slot: &Slot| Arc::ptr_eq(&slot.file, &cell) && Arc::strong_count(&cell) == 2;
        if cell.get().is_none() && slots.get(&org).is_some_and(unwanted) {
            slots.remove(&org);
        }
        outcome
    }

    /// Closes a file as soon as nobody uses it, so that the next use opens it afresh.
    fn close(&self, org: OrgId, cell: &Cell) {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.get(&org).is_some_and(|slot| Arc::ptr_eq(&slot.file, cell)) {
            slots.remove(&org);
        }
    }

    /// Closes files that nobody has used since the given time; says how many. At most `most` of them, since closing a file writes
    /// what its log holds. Blocks.
    pub(crate) fn close_idle(&self, since: Time, most: usize) -> usize {
        let closed: Vec<(OrgId, Slot)> = {
            let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
            let idle = |slot: &Slot| slot.used_at < since && slot.is_idle();
            let idle: Vec<OrgId> =
                slots.iter().filter(|(_, slot)| idle(slot)).map(|(org, _)| *org).take(most).collect();
            idle.into_iter().filter_map(|org| Some((org, slots.remove(&org)?))).collect()
        };
        // Dropped here, outside the lock: nobody waits for the disk to open another file.
        let count = closed.len();
        for (org, slot) in closed {
            slot.close(&self.path(org));
        }
        count
    }

    /// How many files are open or being opened.
    pub(crate) fn open_count(&self) -> usize {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// The place of a file among the open ones; waits for one while all of them are in use. The one that made room is closed then.
    async fn slot(&self, org: OrgId, now: Time) -> Result<Cell> {
        let began = Instant::now();
        loop {
            if let Some((file, evicted)) = self.try_slot(org, now) {
                if let Some((other, slot)) = evicted {
                    let path = self.path(other);
                    let closed = tokio::task::spawn_blocking(move || slot.close(&path)).await;
                    closed.map_err(|error| Error::bug(error.to_string()))?;
                }
                return Ok(file);
            }
            if began.elapsed() > SLOT_LIMIT {
                return Err(Error::Busy("all files that may be open are in use"));
            }
            tokio::time::sleep(SLOT_PAUSE).await;
        }
    }

    /// The place, if there is one, and what had to give way for it: to be closed outside the lock, before the new one is opened.
    fn try_slot(&self, org: OrgId, now: Time) -> Option<(Cell, Option<(OrgId, Slot)>)> {
        let used = self.uses.fetch_add(1, Ordering::Relaxed);
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = slots.get_mut(&org) {
            (slot.used, slot.used_at) = (used, now);
            return Some((slot.file.clone(), None));
        }
        let mut evicted = None;
        if slots.len() >= self.most {
            let idle = slots.iter().filter(|(_, slot)| slot.is_idle());
            let (idle, _) = idle.min_by_key(|(_, slot)| slot.used)?;
            let idle = *idle;
            evicted = slots.remove(&idle).map(|slot| (idle, slot));
        }
        let file = Cell::default();
        slots.insert(org, Slot { used, used_at: now, file: file.clone() });
        Some((file, evicted))
    }
}

impl Slot {
    /// Whether nobody uses the file: dropping it then closes it.
    fn is_idle(&self) -> bool {
        Arc::strong_count(&self.file) == 1 && self.file.get().is_none_or(|file| Arc::strong_count(file) == 1)
    }

    /// Closes the file unless somebody uses it, which writes what its log holds, and notes on it when it was last used. Blocks.
    fn close(self, path: &Path) {
        let (used_at, was_open) = (self.used_at, self.file.initialized());
        drop(self);
        // One that could not be opened was not used, and stays in the state that it was judged in.
        if was_open {
            touch(path, used_at);
        }
    }
}

/// A file that came to rest.
pub(crate) struct Rest {
    pub(crate) path: PathBuf,
    /// Its state then: each use of it changes that.
    stamp: Stamp,
    /// Nobody used it since.
    since: Time,
}

/// Whether one of the two stands there that `SQLite` keeps beside a file.
fn has_log(path: &Path) -> bool {
    ["db-wal", "db-shm"].iter().any(|ending| path.with_extension(ending).exists())
}

/// When a file was last written or used, in microseconds.
fn written(path: &Path) -> Option<i64> {
    let at = std::fs::metadata(path).and_then(|about| about.modified()).ok()?;
    i64::try_from(at.duration_since(std::time::UNIX_EPOCH).ok()?.as_micros()).ok()
}

/// Notes on a file when it was last used; where that cannot be noted it was when it was last written. By its path: whoever opens a
/// database beside `SQLite` and closes it takes all locks away that this process has on it
/// (<https://www.sqlite.org/howtocorrupt.html>, 2.2), and the next program that comes by removes a log that is still written.
fn touch(path: &Path, at: Time) {
    let nanos = at.micros().rem_euclid(1_000_000) * 1_000;
    let times = Timestamps {
        last_access: Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
        last_modification: Timespec { tv_sec: at.micros().div_euclid(1_000_000), tv_nsec: nanos },
    };
    let _ = rustix::fs::utimensat(CWD, path, &times, AtFlags::empty());
}

fn create_private(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    // SQLite gives its side files the mode of the main one.
    std::fs::OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path).map(|_| ())
}

/// All that opening a file takes, on its way to the blocking pool.
struct Opening {
    path: PathBuf,
    key: Secret,
    cache_kib: u32,
    steps: &'static [Migration],
    watch: Watch,
    now: Time,
}

impl Opening {
    fn open(self) -> Result<File> {
        let Watch { org, troubles } = &self.watch;
        let before = Stamp::of(&self.path);
        let is_checked = troubles.is_suspect(*org) || before.is_none_or(|stamp| stamp.length <= READ_WHOLE);
        match self.try_open(is_checked) {
            Ok(file) => {
                touch(&self.path, self.now);
                if is_checked {
                    troubles.is_whole(*org);
                }
                Ok(file)
            }
            // A newer schema is no damage, but keeps this one organisation out just the same.
            Err(Error::Damaged { what, .. } | Error::Setup(what)) => {
                // Only what nobody changed meanwhile is known for sure.
                let state = (before == Stamp::of(&self.path)).then_some(before);
                Err(troubles.condemn(*org, state, &what))
            }
            Err(other) => Err(troubles.note(*org, other).0),
        }
    }

    fn try_open(&self, is_checked: bool) -> Result<File> {
        let damaged = |what: String| Error::Damaged { org: String::new(), what };
        if !self.path.exists() {
            return Err(damaged(format!("{} is missing", self.path.display())));
        }
        let file = File::open(&self.path, self.key.derive("file"), self.cache_kib, false, Some(self.watch.clone()))?;
        file.exclusively(|connection| {
            // An empty file is not a new organisation but a lost one: it must not quietly become a fresh store.
            if migrate::version(connection)? == 0 {
                return Err(damaged("the file is empty".into()));
            }
            if is_checked {
                check_pages(connection)?;
            }
            migrate::file(connection, self.steps)?;
            let id: Vec<u8> = connection
                .query_row("SELECT id FROM tenant", [], |row| row.get(0))
                .map_err(|error| translate(&error))?;
            if id != self.watch.org.uuid().as_bytes() {
                return Err(damaged("the file belongs to another organisation".into()));
            }
            Ok(())
        })?;
        Ok(file)
    }
}
