//! The embedded engine: one encrypted file, one writer, a few readers.
//!
//! Statements run where they are called: they take microseconds when the pages are warm. A commit waits for the disk, so it runs on
//! the blocking pool, together with its connection: it goes on to its end when the caller stops waiting.

use std::cell::RefCell;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use domain::OrgId;
use rusqlite::config::DbConfig;
use rusqlite::ffi::ErrorCode;
use rusqlite::limits::Limit;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OpenFlags, Statement};
use tokio::sync::{OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};
use zeroize::Zeroizing;

use super::{Access, Kind, Row, Value};
use crate::error::{Error, Result};
use crate::troubles::{Stamp, Troubles};

/// Reading connections per file. Each costs three descriptors and its page cache.
const READERS: usize = 4;
/// How long, in bytes, the log of a file whose commits wait for a flush may grow before it is moved into the file.
const LOG_LIMIT: u64 = 8 << 20;
/// Bytes of a page, sealed as a whole. An organisation's file has some fifty tables and indexes, each with a page at least, and most
/// are all but empty; the files of the installation are there once.
const PAGE: u32 = 4096;
const PAGE_OF_AN_ORGANISATION: u32 = 2048;
/// How long one statement may run.
const STATEMENT_LIMIT: Duration = Duration::from_secs(10);
/// How long a new file is tried to be switched to its log, while others do so: as long as they wait for a lock.
const SWITCH_LIMIT: Duration = Duration::from_secs(5);
/// How long a transaction waits for its turn.
const TURN_LIMIT: Duration = Duration::from_secs(5);

/// When a commit survives a power cut. A killed program loses no commit either way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Durability {
    /// Before it is acknowledged.
    AtCommit,
    /// With the next [`File::flush`]. A commit is so cheap then that it runs where it is called.
    AtFlush,
}

/// The key of a file: 256 random bits.
pub(crate) type FileKey = Zeroizing<[u8; 32]>;

/// An open file.
pub(crate) struct File {
    path: PathBuf,
    key: FileKey,
    page: u32,
    cache_kib: u32,
    durability: Durability,
    writer: Arc<tokio::sync::Mutex<Connection>>,
    turns: Arc<Semaphore>,
    idle: Arc<Mutex<Vec<Connection>>>,
    watch: Option<Watch>,
    /// What the path led to when the file was opened, and the greatest length it has had: a file never gets shorter.
    opened: Option<Stamp>,
    length: AtomicU64,
    /// Something was wrong with it: it is to be closed, and every page to be read when it is opened again.
    ailing: AtomicBool,
}

/// Whose file it is, and who is told of trouble with it.
#[derive(Clone)]
pub(crate) struct Watch {
    pub(crate) org: OrgId,
    pub(crate) troubles: Arc<Troubles>,
}

impl File {
    /// Opens or creates a file. Blocks; call it on the blocking pool.
    pub(crate) fn open(path: &Path, key: FileKey, cache_kib: u32, create: bool, watch: Option<Watch>) -> Result<Self> {
        Self::open_as(path, key, cache_kib, create, watch, Durability::AtCommit)
    }

    /// Opens or creates a file whose commits survive a power cut as told. Blocks.
    pub(crate) fn open_as(
        path: &Path,
        key: FileKey,
        cache_kib: u32,
        create: bool,
        watch: Option<Watch>,
        durability: Durability,
    ) -> Result<Self> {
        let page = if watch.is_some() { PAGE_OF_AN_ORGANISATION } else { PAGE };
        let writer = connect(path, &key, page, cache_kib, Access::Write, create, durability)?;
        Ok(Self {
            durability,
            page,
            path: path.to_owned(),
            key,
            cache_kib,
            writer: Arc::new(tokio::sync::Mutex::new(writer)),
            turns: Arc::new(Semaphore::new(READERS)),
            idle: Arc::default(),
            watch,
            opened: Stamp::of(path),
            length: AtomicU64::new(0),
            ailing: AtomicBool::new(false),
        })
    }

    /// Whether the open file is still the one at its path, nothing was cut off, and nothing went wrong with it.
    pub(crate) fn is_sound(&self) -> bool {
        let (Some(opened), Some(now)) = (self.opened, Stamp::of(&self.path)) else { return false };
        !self.ailing.load(Ordering::Relaxed)
            && now.inode == opened.inode
            && now.length >= self.length.fetch_max(now.length, Ordering::Relaxed)
    }

    /// Passes an error on, and takes note of what it says about the file.
    fn note(&self, error: Error) -> Error {
        let Some(watch) = &self.watch else { return error };
        let (error, must_close) = watch.troubles.note(watch.org, error);
        self.ailing.fetch_or(must_close, Ordering::Relaxed);
        error
    }

    /// Runs something on the writing connection outside a transaction: migrations and upkeep. Blocks.
    pub(crate) fn exclusively<T>(&self, work: impl FnOnce(&mut Connection) -> Result<T>) -> Result<T> {
        let mut connection = self.writer.blocking_lock();
        // The bound is for requests; what is done here may take as long as the file is large.
        DEADLINE.lift();
        work(&mut connection)
    }

    /// What is wrong with the file: pages that were changed, broken trees and indexes, rows that point nowhere. Blocks, and reads all
    /// of it.
    pub(crate) fn faults(&self) -> Result<Vec<String>> {
        self.exclusively(|connection| {
            let texts = |connection: &Connection, text: &str| -> rusqlite::Result<Vec<String>> {
                connection.prepare(text)?.query_map([], |row| row.get(0))?.collect()
            };
            let find = |connection: &Connection| -> rusqlite::Result<Vec<String>> {
                let mut faults = texts(connection, "PRAGMA cipher_integrity_check")?;
                faults.extend(texts(connection, "PRAGMA quick_check(10)")?.into_iter().filter(|line| line != "ok"));
                let orphans = texts(connection, "PRAGMA foreign_key_check")?;
                faults
                    .extend(orphans.iter().map(|table| format!("a row of {table} points to a row that is not there")));
                faults.truncate(10);
                Ok(faults)
            };
            find(connection).map_err(|error| translate(&error))
        })
    }

    /// Writes the log into the file and empties it, so that no older page is left in it. Blocks.
    pub(crate) fn rinse(&self) -> Result<()> {
        self.exclusively(|connection| {
            let busy: i64 = connection
                .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
                .map_err(|error| translate(&error))?;
            if busy == 0 { Ok(()) } else { Err(Error::Busy("the log of the file is being read")) }
        })
    }

    /// Makes all commits so far survive a power cut, and moves the log into the file when it has grown.
    pub(crate) async fn flush(self: &Arc<Self>) -> Result<()> {
        let reader = self.hold(Access::Read).await?;
        let file = self.clone();
        let flushed = tokio::task::spawn_blocking(move || {
            let mut log = file.path.as_os_str().to_owned();
            log.push("-wal");
            let synced = std::fs::File::open(&log).and_then(|log| {
                log.sync_data()?;
                Ok(log.metadata()?.len())
            });
            let length = match synced {
                Ok(length) => length,
                // Nothing was written since the file was opened.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
                Err(error) => return Err(Error::Disk(error.to_string())),
            };
            if length > LOG_LIMIT {
                // From a reader's connection, so that no writer waits for it.
                let moved = reader.get()?.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
                moved.map_err(|error| translate(&error))?;
            }
            Ok(())
        });
        flushed.await.map_err(|error| Error::bug(error.to_string()))?
    }

    /// Begins a transaction.
    pub(crate) async fn begin(self: &Arc<Self>, access: Access) -> Result<Transaction> {
        let connection = self.hold(access).await.map_err(|error| self.note(error))?;
        // Whoever waited behind the one that failed must not go on with the connection that failed.
        if self.ailing.load(Ordering::Relaxed) {
            return Err(Error::Busy("the file is being opened again"));
        }
        let begin = if access == Access::Write { "BEGIN IMMEDIATE" } else { "BEGIN" };
        let started = plainly(connection.get()?, begin);
        started.map_err(|error| self.note(error))?;
        Ok(Transaction { held: Some(connection), file: self.clone() })
    }

    async fn hold(&self, access: Access) -> Result<Held> {
        let connection = match access {
            Access::Write => {
                let turn = tokio::time::timeout(TURN_LIMIT, self.writer.clone().lock_owned());
                Held::Writer(turn.await.map_err(|_| Error::Busy("waited too long for the writer"))?)
            }
            Access::Read => {
                let turn = tokio::time::timeout(TURN_LIMIT, self.turns.clone().acquire_owned());
                let turn = turn
                    .await
                    .map_err(|_| Error::Busy("waited too long for a reader"))?
                    .map_err(|_| Error::bug("closed"))?;
                let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
                let connection = match idle {
                    Some(connection) => connection,
                    None => {
                        connect(&self.path, &self.key, self.page, self.cache_kib, Access::Read, false, self.durability)?
                    }
                };
                Held::Reader { connection: Some(connection), idle: self.idle.clone(), _turn: turn }
            }
        };
        Ok(connection)
    }
}

/// A connection for as long as a transaction runs.
enum Held {
    Writer(OwnedMutexGuard<Connection>),
    Reader { connection: Option<Connection>, idle: Arc<Mutex<Vec<Connection>>>, _turn: OwnedSemaphorePermit },
}

impl Held {
    fn get(&self) -> Result<&Connection> {
        match self {
            Self::Writer(connection) => Ok(connection),
            Self::Reader { connection, .. } => {
                connection.as_ref().ok_or_else(|| Error::bug("a reader was returned twice"))
            }
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Self::Reader { connection, idle, .. } = self
            && let Some(connection) = connection.take()
        {
            idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        }
    }
}

/// A running transaction.
pub(crate) struct Transaction {
    held: Option<Held>,
    /// Keeps the file from being closed, and then opened a second time, while it is in use.
    file: Arc<File>,
}

impl Transaction {
    pub(super) fn execute(&mut self, text: &'static str, values: &[Value]) -> Result<(Vec<Row>, u64)> {
        let held = self.held.as_ref().ok_or_else(|| Error::bug("the transaction has ended"))?;
        run(held.get()?, text, values).map_err(|error| self.file.note(error))
    }

    pub(super) async fn commit(mut self) -> Result<()> {
        let held = self.held.take().ok_or_else(|| Error::bug("the transaction has ended"))?;
        if let Held::Reader { .. } = held {
            return end(held, "COMMIT");
        }
        let file = self.file.clone();
        if file.durability == Durability::AtFlush {
            return end(held, "COMMIT").map_err(|error| file.note(error));
        }
        let commit = tokio::task::spawn_blocking(move || match end(held, "COMMIT") {
            Ok(()) => {
                if let Some(watch) = &file.watch {
                    watch.troubles.wrote(watch.org);
                }
                Ok(())
            }
            Err(error) => Err(file.note(error)),
        });
        commit.await.map_err(|error| Error::bug(error.to_string()))?
    }
}

/// Ends a transaction; a commit that fails is rolled back, so the connection comes back clean.
#[expect(clippy::needless_pass_by_value, reason = "the connection goes back when this ends")]
fn end(held: Held, how: &str) -> Result<()> {
    let connection = held.get()?;
    let ended = plainly(connection, how);
    if !connection.is_autocommit() {
        connection.execute_batch("ROLLBACK").map_err(|error| translate(&error))?;
    }
    ended
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if let Some(held) = self.held.take()
            && let Err(error) = end(held, "ROLLBACK")
        {
            tracing::error!(%error, "a transaction could not be rolled back");
        }
    }
}

/// Begins or ends a transaction.
fn plainly(connection: &Connection, text: &str) -> Result<()> {
    let run = |connection: &Connection| connection.prepare_cached(text)?.execute([]);
    run(connection).map(drop).map_err(|error| translate(&error))
}

fn run(connection: &Connection, text: &'static str, values: &[Value]) -> Result<(Vec<Row>, u64)> {
    DEADLINE.set(Instant::now() + STATEMENT_LIMIT);
    let mut statement = connection.prepare_cached(text).map_err(|error| translate(&error))?;
    let in_order = values.len() <= statement.parameter_count() && names_in_order(&statement, text);
    for (place, value) in (1..).zip(values) {
        let index = if in_order { Some(place) } else { index_of(&statement, place)? };
        let index = index.ok_or_else(|| Error::bug(format!("${place} is bound but not in: {text}")))?;
        statement.raw_bind_parameter(index, value).map_err(|error| translate(&error))?;
    }
    if statement.parameter_count() != values.len() {
        return Err(Error::bug(format!(
            "{} values for {} parameters: {text}",
            values.len(),
            statement.parameter_count()
        )));
    }
    let columns: Arc<[String]> = statement.column_names().map(str::to_owned).collect();
    let mut rows = Vec::new();
    let mut cursor = statement.raw_query();
    while let Some(row) = cursor.next().map_err(|error| translate(&error))? {
        let values = (0..columns.len())
            .map(|at| row.get_ref(at).map(read))
            .collect::<Result<_, _>>()
            .map_err(|error| translate(&error))?;
        rows.push(Row { columns: columns.clone(), values });
    }
    drop(cursor);
    drop(statement);
    Ok((rows, connection.changes()))
}

thread_local! {
    /// Texts whose parameters come in the order of their names, as most do. Each of them is there once for as long as the program runs.
    static IN_ORDER: RefCell<HashSet<*const str>> = RefCell::default();
}

/// Whether a parameter's place is its index: then no name has to be sought.
fn names_in_order(statement: &Statement<'_>, text: &'static str) -> bool {
    let text = std::ptr::from_ref(text);
    if IN_ORDER.with_borrow(|known| known.contains(&text)) {
        return true;
    }
    let count = statement.parameter_count();
    let in_order = (1..=count).all(|place| statement.parameter_name(place) == PLACES.get(place - 1).copied());
    if in_order {
        IN_ORDER.with_borrow_mut(|known| known.insert(text));
    }
    in_order
}

fn index_of(statement: &Statement<'_>, place: usize) -> Result<Option<usize>> {
    let name = PLACES.get(place - 1).ok_or_else(|| Error::bug("too many parameters"))?;
    statement.parameter_index(name).map_err(|error| translate(&error))
}

/// The names of the parameters; `SQLite` takes `$1` for a name, not for a place.
const PLACES: [&str; 40] = [
    "$1", "$2", "$3", "$4", "$5", "$6", "$7", "$8", "$9", "$10", "$11", "$12", "$13", "$14", "$15", "$16", "$17",
    "$18", "$19", "$20", "$21", "$22", "$23", "$24", "$25", "$26", "$27", "$28", "$29", "$30", "$31", "$32", "$33",
    "$34", "$35", "$36", "$37", "$38", "$39", "$40",
];

fn read(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null(Kind::Text),
        ValueRef::Integer(v) => Value::I64(v),
        ValueRef::Real(v) => Value::F64(v),
        ValueRef::Text(v) => Value::Text(String::from_utf8_lossy(v).into_owned()),
        ValueRef::Blob(v) => Value::Bytes(v.to_vec()),
    }
}

impl rusqlite::ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null(_) => ValueRef::Null,
            Self::I64(v) => ValueRef::Integer(*v),
            Self::F64(v) => ValueRef::Real(*v),
            Self::Bool(v) => ValueRef::Integer(i64::from(*v)),
            Self::Text(v) => ValueRef::Text(v.as_bytes()),
            Self::Bytes(v) => ValueRef::Blob(v),
            Self::Uuid(v) => ValueRef::Blob(v.as_bytes()),
        }))
    }
}

/// When the statement that runs on this thread must end, on the monotonic clock.
struct Deadline(AtomicU64);

static START: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);

thread_local! {
    static DEADLINE: Deadline = const { Deadline(AtomicU64::new(u64::MAX)) };
}

trait SetDeadline {
    fn set(&'static self, at: Instant);
    fn lift(&'static self);
    fn passed(&'static self) -> bool;
}

impl SetDeadline for std::thread::LocalKey<Deadline> {
    fn set(&'static self, at: Instant) {
        let nanos = u64::try_from(at.saturating_duration_since(*START).as_nanos()).unwrap_or(u64::MAX);
        self.with(|deadline| deadline.0.store(nanos, Ordering::Relaxed));
    }

    fn lift(&'static self) {
        self.with(|deadline| deadline.0.store(u64::MAX, Ordering::Relaxed));
    }

    fn passed(&'static self) -> bool {
        self.with(|deadline| START.elapsed().as_nanos() > u128::from(deadline.0.load(Ordering::Relaxed)))
    }
}

fn connect(
    path: &Path,
    key: &FileKey,
    page: u32,
    cache_kib: u32,
    access: Access,
    create: bool,
    durability: Durability,
) -> Result<Connection> {
    let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    if create {
        flags |= OpenFlags::SQLITE_OPEN_CREATE;
    }
    let set_up = || -> rusqlite::Result<Connection> {
        let mut connection = Connection::open_with_flags(path, flags)?;
        let mut raw = Zeroizing::new(String::with_capacity(160));
        raw.push_str("PRAGMA cipher_log_level = NONE; PRAGMA key = \"x'");
        for byte in key.iter() {
            use std::fmt::Write;
            let _ = write!(raw, "{byte:02x}");
        }
        // Processors hash a page by SHA-256 in a third of the time that SHA-512, the usual one, takes.
        raw.push_str("'\"; PRAGMA cipher_hmac_algorithm = HMAC_SHA256;");
        // A raw key: a passphrase would cost hundreds of times as much at each open.
        connection.execute_batch(&raw)?;
        connection.execute_batch(&format!("PRAGMA cipher_page_size = {page}"))?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
        connection.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0)?;
        connection.set_prepared_statement_cache_capacity(64);
        connection.execute_batch("PRAGMA busy_timeout = 5000")?;
        write_ahead(&connection)?;
        // FULL: with NORMAL an acknowledged commit can be lost when the power goes.
        connection.execute_batch(&format!(
            "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;
             PRAGMA temp_store = MEMORY; PRAGMA secure_delete = ON; PRAGMA journal_size_limit = 1048576; PRAGMA cache_size = -{cache_kib};
             PRAGMA query_only = {};",
            if access == Access::Read { "ON" } else { "OFF" },
        ))?;
        if durability == Durability::AtFlush {
            // The log is flushed by `File::flush`, which also moves it into the file: neither must happen in the middle of a commit.
            connection.execute_batch("PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0;")?;
        }
        // The first page is read here, so a wrong key or a damaged header is seen now.
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
        connection.progress_handler(20_000, Some(|| DEADLINE.passed()))?;
        Ok(connection)
    };
    DEADLINE.set(Instant::now() + STATEMENT_LIMIT);
    set_up().map_err(|error| translate(&error))
}

/// Switches a file to a write-ahead log, where it is not yet. When several do so with a new file, SQLite tells all but one at once that it
/// is locked, whatever the busy timeout: they try again for as long.
fn write_ahead(connection: &Connection) -> rusqlite::Result<()> {
    let began = Instant::now();
    loop {
        match connection.execute_batch("PRAGMA journal_mode = WAL") {
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) && began.elapsed() < SWITCH_LIMIT =>
            {
                std::thread::sleep(Duration::from_millis(5));
            }
            done => return done,
        }
    }
}

/// Reads every page and checks that it is authentic. Takes about 10 microseconds a page.
pub(crate) fn check_pages(connection: &Connection) -> Result<()> {
    let check = || -> rusqlite::Result<Option<String>> {
        // What the log holds goes in first: a page that was half written when the power went is whole after that. On a full disk
        // it may not go in, and need not.
        let _ = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        let mut statement = connection.prepare("PRAGMA cipher_integrity_check")?;
        let mut rows = statement.raw_query();
        rows.next()?.map(|row| row.get(0)).transpose()
    };
    match check().map_err(|error| translate(&error))? {
        None => Ok(()),
        Some(what) => Err(Error::Damaged { org: String::new(), what }),
    }
}

pub(crate) fn translate(error: &rusqlite::Error) -> Error {
    let Some(failure) = error.sqlite_error() else { return Error::bug(error.to_string()) };
    match failure.code {
        ErrorCode::ConstraintViolation => match failure.extended_code {
            rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE | rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY => {
                Error::Taken("value")
            }
            _ => Error::Refused(error.to_string()),
        },
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Error::Busy("locked"),
        ErrorCode::OperationInterrupted => Error::Busy("a statement took too long"),
        ErrorCode::DiskFull => Error::Full,
        ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt => {
            Error::Damaged { org: String::new(), what: error.to_string() }
        }
        ErrorCode::SystemIoFailure => Error::Disk(error.to_string()),
        ErrorCode::CannotOpen | ErrorCode::PermissionDenied | ErrorCode::ReadOnly => {
            Error::Unavailable(error.to_string())
        }
        _ => Error::bug(error.to_string()),
    }
}
