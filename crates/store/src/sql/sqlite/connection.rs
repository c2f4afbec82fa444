//! A connection to an encrypted file: how it is set up, how long its statements may run, and what its errors mean.

use std::cell::Cell;
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::ffi::ErrorCode;
use rusqlite::limits::Limit;
use rusqlite::{Connection, OpenFlags};
use zeroize::Zeroizing;

use super::{Durability, FileKey};
use crate::error::{Error, Result};
use crate::sql::Access;

/// How long one statement may run.
const STATEMENT_LIMIT: Duration = Duration::from_secs(10);
/// How long a new file is tried to be switched to its log, while others do so: as long as they wait for a lock.
const SWITCH_LIMIT: Duration = Duration::from_secs(5);

thread_local! {
    /// When the statement that runs on this thread must end; none when it may take as long as it does.
    static DEADLINE: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Bounds what runs on this thread from now on.
pub(super) fn start_the_clock() {
    DEADLINE.set(Some(Instant::now() + STATEMENT_LIMIT));
}

/// Lifts the bound: it is for requests, and upkeep may take as long as the file is large.
pub(super) fn stop_the_clock() {
    DEADLINE.set(None);
}

fn is_out_of_time() -> bool {
    DEADLINE.get().is_some_and(|deadline| Instant::now() > deadline)
}

pub(super) fn connect(
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
        connection.progress_handler(20_000, Some(is_out_of_time))?;
        Ok(connection)
    };
    start_the_clock();
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

/// Brings the parts of an organisation's index of words together, so many pages of them: where all is in one part, what was deleted is
/// nowhere any more. Says whether that is so by now. The file says how much it wrote: for a call that found nothing to do, the call alone.
pub(crate) fn merge_words(connection: &Connection, pages: i64) -> Result<bool> {
    let before = connection.total_changes();
    connection
        .execute("INSERT INTO chunk_words (chunk_words, rank) VALUES ('merge', ?1)", [-pages])
        .map_err(|error| translate(&error))?;
    Ok(connection.total_changes() - before < 2)
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

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::merge_words;

    #[test]
    fn merged_words_lie_in_one_part_without_those_that_are_gone() {
        let file = Connection::open_in_memory().expect("opens");
        file.execute_batch(
            "CREATE VIRTUAL TABLE chunk_words USING fts5 (heading, text);
             INSERT INTO chunk_words (chunk_words, rank) VALUES ('automerge', 0)",
        )
        .expect("made");
        for row in 0..12 {
            file.execute("INSERT INTO chunk_words VALUES ('', ?1)", [format!("xylozephyr{row} every place")])
                .expect("added");
        }
        file.execute_batch("DELETE FROM chunk_words WHERE rowid > 3").expect("deleted");
        let parts = |file: &Connection| -> i64 {
            file.query_row("SELECT count(DISTINCT id >> 37) FROM chunk_words_data WHERE id > 10", [], |row| row.get(0))
                .expect("counted")
        };
        let holds = |file: &Connection, word: &str| -> bool {
            let mut blocks = file.prepare("SELECT block FROM chunk_words_data").expect("prepared");
            let blocks: Vec<Vec<u8>> = blocks.query_map([], |row| row.get(0)).expect("read").flatten().collect();
            blocks.concat().windows(word.len()).any(|part| part == word.as_bytes())
        };
        assert!(parts(&file) > 1, "one for each statement");
        assert!(holds(&file, "xylozephyr"));
        while !merge_words(&file, 100).expect("merged") {}
        assert!(merge_words(&file, 100).expect("merged"), "once done it stays done");
        assert_eq!(parts(&file), 1);
        file.execute_batch("DELETE FROM chunk_words").expect("deleted");
        while !merge_words(&file, 100).expect("merged") {}
        assert!(!holds(&file, "xylozephyr"), "nothing of it is left");
    }
}
