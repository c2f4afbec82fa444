//! The embedded engine: one encrypted file, one writer, a few readers.
//!
//! Statements run where they are called: they take microseconds when the pages are warm. A commit waits for the disk, so it runs on
//! the blocking pool, together with its connection: it goes on to its end when the caller stops waiting.

mod connection;
mod statement;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::OrgId;
use rusqlite::Connection;
use tokio::sync::{OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};
use zeroize::Zeroizing;

pub(crate) use self::connection::{check_pages, merge_words, translate};
use self::connection::{connect, stop_the_clock};
use self::statement::{plainly, run};
use super::{Access, Row, Value};
use crate::error::{Error, Result};
use crate::troubles::{Stamp, Troubles};

/// Reading connections per file. Each costs three descriptors and its page cache.
pub(crate) const READERS: usize = 4;
/// How long, in bytes, the log of a file whose commits wait for a flush may grow before it is moved into the file.
const LOG_LIMIT: u64 = 8 << 20;
/// Bytes of a page, sealed as a whole. An organisation's file has some fifty tables and indexes, each with a page at least, and most
/// are all but empty; the files of the installation are there once.
const PAGE: u32 = 4096;
const PAGE_OF_AN_ORGANISATION: u32 = 2048;
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
    /// What moves the log into the file beside all others, once there was something to move.
    mover: Mutex<Option<Connection>>,
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
        let opened = Stamp::of(path);
        Ok(Self {
            durability,
            page,
            path: path.to_owned(),
            key,
            cache_kib,
            writer: Arc::new(tokio::sync::Mutex::new(writer)),
            turns: Arc::new(Semaphore::new(READERS)),
            idle: Arc::default(),
            mover: Mutex::default(),
            watch,
            opened,
            length: AtomicU64::new(opened.map_or(0, |stamp| stamp.length)),
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
        stop_the_clock();
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
            if length > LOG_LIMIT { file.move_log() } else { Ok(()) }
        });
        flushed.await.map_err(|error| Error::bug(error.to_string()))?
    }

    /// Moves the log into the file. Over a connection of its own: no writer waits for it, and it waits for no reader. Blocks.
    fn move_log(&self) -> Result<()> {
        let mut mover = self.mover.lock().unwrap_or_else(PoisonError::into_inner);
        let connection = match mover.take() {
            Some(connection) => connection,
            None => connect(&self.path, &self.key, self.page, self.cache_kib, Access::Read, false, self.durability)?,
        };
        stop_the_clock();
        let written = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
        *mover = Some(connection);
        written.map_err(|error| translate(&error))
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
