//! One SQL text, two engines: a transaction that runs a statement on encrypted `SQLite` or on PostgreSQL.
//!
//! This folder is the only place that knows the drivers. The pools are private to it; [`Transaction`] is handed out by the
//! organisation store and the control database alone.

pub(crate) mod postgres;
mod row;
mod sealed;
pub(crate) mod sqlite;
pub(crate) mod terms;
mod value;

use std::sync::Arc;

use serde::de::DeserializeOwned;

pub use row::Json;
pub(crate) use row::Row;
pub(crate) use sealed::{SealedColumns, SealedRow};
pub(crate) use value::{Bind, Kind, Value, after_id, before_id};

use crate::cipher::Cipher;
use crate::error::{Error, Result};

/// Which engine keeps the data.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Engine {
    /// One encrypted file per organisation and a control file.
    Sqlite,
    /// One database with row-level security.
    Postgres,
}

/// The text of a statement: one for both engines, or a pair where they must differ.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Sql {
    /// The same text on both.
    Same(&'static str),
    /// One for each.
    Pair(Pair),
}

/// Two texts that do the same; kept side by side and rare.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pair {
    /// For the embedded engine.
    pub(crate) sqlite: &'static str,
    /// For PostgreSQL.
    pub(crate) postgres: &'static str,
}

impl From<&'static str> for Sql {
    fn from(text: &'static str) -> Self {
        Self::Same(text)
    }
}

impl From<Pair> for Sql {
    fn from(pair: Pair) -> Self {
        Self::Pair(pair)
    }
}

/// Whether a transaction may write.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Access {
    Read,
    Write,
}

enum Running {
    Sqlite(sqlite::Transaction),
    Postgres(postgres::Transaction),
}

/// A running transaction. Dropped without a commit it is rolled back.
pub(crate) struct Transaction {
    running: Running,
    access: Access,
    /// Something was written that must stand in the audit log.
    owes_audit: bool,
    /// A statement failed: nothing more may run, on either engine, so both behave the same.
    broken: bool,
    /// The disk is all but full: nothing may be added. What begins with a change or a removal goes on, out of the reserve.
    adds_nothing: bool,
    /// Seals what people write, on PostgreSQL; none when the organisation's key cannot be had.
    cipher: Option<Arc<Cipher>>,
    /// Statements that wait to be sent together.
    queued: Vec<(&'static str, Vec<Value>)>,
}

/// The rows that a statement gave, and how many it changed.
pub(crate) type Answer = (Vec<Row>, u64);

impl Transaction {
    pub(crate) fn sqlite(transaction: sqlite::Transaction, access: Access) -> Self {
        Self::new(Running::Sqlite(transaction), access)
    }

    pub(crate) fn postgres(transaction: postgres::Transaction, access: Access) -> Self {
        Self::new(Running::Postgres(transaction), access)
    }

    fn new(running: Running, access: Access) -> Self {
        Self {
            running,
            access,
            owes_audit: false,
            broken: false,
            adds_nothing: false,
            cipher: None,
            queued: Vec::new(),
        }
    }

    /// Says whether the disk has room for more.
    pub(crate) fn on_a_disk_with(mut self, room: bool) -> Self {
        self.adds_nothing = !room;
        self
    }

    /// Gives it the cipher of its organisation.
    pub(crate) fn sealing_by(mut self, cipher: Option<Arc<Cipher>>) -> Self {
        self.cipher = cipher;
        self
    }

    /// The organisation's cipher; none on files, which are encrypted whole.
    /// # Errors
    /// [`Error::Sealed`] when the organisation's key cannot be had.
    pub(crate) fn cipher(&self) -> Result<Option<Arc<Cipher>>> {
        match (&self.running, &self.cipher) {
            (Running::Sqlite(_), _) => Ok(None),
            (Running::Postgres(_), Some(cipher)) => Ok(Some(cipher.clone())),
            (Running::Postgres(_), None) => Err(Error::Sealed("the organisation's key cannot be had")),
        }
    }

    pub(crate) fn sql(&mut self, text: impl Into<Sql>) -> Statement<'_> {
        let text = match (text.into(), &self.running) {
            (Sql::Same(text), _) => text,
            (Sql::Pair(pair), Running::Sqlite(_)) => pair.sqlite,
            (Sql::Pair(pair), Running::Postgres(_)) => pair.postgres,
        };
        let writes = !text.trim_start().starts_with("SELECT");
        Statement { transaction: self, text, values: Vec::new(), writes, audited: writes, sealed: None, failed: None }
    }

    /// Sends the queued statements, and gives their answers in their order: on PostgreSQL in one journey, however many they are.
    /// # Errors
    /// As the database.
    pub(crate) async fn send_queued(&mut self) -> Result<Vec<Answer>> {
        let queued = std::mem::take(&mut self.queued);
        self.begin_statement()?;
        let answers = match &mut self.running {
            Running::Sqlite(running) => queued.iter().map(|(text, values)| running.execute(text, values)).collect(),
            Running::Postgres(running) => running.execute_all(&queued).await,
        };
        self.broken = answers.is_err();
        answers
    }

    fn begin_statement(&mut self) -> Result<()> {
        if self.broken {
            return Err(Error::bug("a statement after a failed one"));
        }
        // Set before the first wait: a statement that is cancelled half way leaves the transaction unusable.
        self.broken = true;
        Ok(())
    }

    /// To be asked before more is added than is taken away, where a change or a removal comes first.
    pub(crate) fn admit_more(&self) -> Result<()> {
        if self.adds_nothing { Err(Error::Full) } else { Ok(()) }
    }

    /// Notes that what was written so far stands in the audit log of this transaction.
    pub(crate) fn settle_audit(&mut self) {
        self.owes_audit = false;
    }

    /// Makes everything durable. The commit goes on to its end even if the caller stops waiting.
    pub(crate) async fn commit(self) -> Result<()> {
        if self.broken {
            return Err(Error::bug("commit after a failed statement"));
        }
        if !self.queued.is_empty() {
            return Err(Error::bug("a commit before what is queued was sent"));
        }
        if self.owes_audit {
            return Err(Error::bug("a change without an audit entry; record one before the commit"));
        }
        tracing::trace!(statement = "COMMIT");
        match self.running {
            Running::Sqlite(transaction) => transaction.commit().await,
            Running::Postgres(transaction) => transaction.commit().await,
        }
    }
}

/// A statement on its way; bind its values in order, then run it.
#[must_use = "a statement does nothing until it is run"]
pub(crate) struct Statement<'t> {
    transaction: &'t mut Transaction,
    text: &'static str,
    values: Vec<Value>,
    writes: bool,
    audited: bool,
    /// What of the answer is to be opened.
    sealed: Option<&'static SealedColumns>,
    /// Why a value could not be bound.
    failed: Option<Error>,
}

impl Statement<'_> {
    /// Binds the next of `$1`, `$2`, ...
    pub(crate) fn bind(mut self, value: impl Bind) -> Self {
        self.values.push(value.value());
        self
    }

    /// Binds the next one, text or bytes that people wrote, for a sealed column of a row.
    pub(crate) fn seal(mut self, row: &SealedRow, column: &'static str, value: impl Bind) -> Self {
        let sealed = self.transaction.cipher().and_then(|cipher| match cipher {
            Some(cipher) => row.seal(&cipher, column, value.value()),
            None => Ok(value.value()),
        });
        match sealed {
            Ok(value) => self.values.push(value),
            Err(error) => self.failed = Some(error),
        }
        self
    }

    /// Opens the sealed columns of a table in what it gives.
    pub(crate) fn opens(mut self, columns: &'static SealedColumns) -> Self {
        self.sealed = Some(columns);
        self
    }

    /// Says that this write needs no audit entry of its own, and why: bookkeeping such as a time of last use.
    pub(crate) fn unaudited(mut self, _why: &'static str) -> Self {
        self.audited = false;
        self
    }

    /// All rows.
    /// # Errors
    /// As the database.
    pub(crate) async fn all<T: DeserializeOwned>(self) -> Result<Vec<T>> {
        self.execute().await?.0.into_iter().map(Row::read).collect()
    }

    /// The row, if there is one.
    /// # Errors
    /// As the database; more than one row is a mistake in Rowhouse.
    pub(crate) async fn optional<T: DeserializeOwned>(self) -> Result<Option<T>> {
        let mut rows = self.execute().await?.0.into_iter();
        match (rows.next(), rows.next()) {
            (None, _) => Ok(None),
            (Some(row), None) => row.read().map(Some),
            _ => Err(Error::bug("more than one row")),
        }
    }

    /// The one row.
    /// # Errors
    /// As the database; none or more than one is a mistake in Rowhouse.
    pub(crate) async fn one<T: DeserializeOwned>(self) -> Result<T> {
        self.optional().await?.ok_or_else(|| Error::bug("expected a row"))
    }

    /// Runs it and says how many rows it changed.
    /// # Errors
    /// As the database.
    pub(crate) async fn run(self) -> Result<u64> {
        self.execute().await.map(|(_, changed)| changed)
    }

    /// Puts it by, to be sent with others; it opens nothing that is sealed.
    /// # Errors
    /// As [`Statement::run`] before the database is asked.
    pub(crate) fn queue(mut self) -> Result<()> {
        debug_assert!(self.sealed.is_none(), "what is sealed is opened where it is read alone");
        self.admit()?;
        self.transaction.owes_audit |= self.writes && self.audited;
        self.transaction.queued.push((self.text, self.values));
        Ok(())
    }

    async fn execute(mut self) -> Result<Answer> {
        self.admit()?;
        let Self { transaction, text, values, writes, audited, sealed, .. } = self;
        transaction.begin_statement()?;
        let answer = match &mut transaction.running {
            Running::Sqlite(running) => running.execute(text, &values),
            Running::Postgres(running) => running.execute(text, &values).await,
        };
        transaction.broken = answer.is_err();
        transaction.owes_audit |= writes && audited;
        let (mut rows, changed) = answer?;
        if let Some(columns) = sealed
            && let Some(cipher) = transaction.cipher()?
        {
            columns.open(&cipher, &mut rows)?;
        }
        Ok((rows, changed))
    }

    /// Whether it may run at all.
    fn admit(&mut self) -> Result<()> {
        let Self { transaction, text, writes, failed, .. } = self;
        if let Some(error) = failed.take() {
            return Err(error);
        }
        tracing::trace!(statement = text);
        if transaction.broken {
            return Err(Error::bug("a statement after a failed one"));
        }
        if *writes && transaction.access == Access::Read {
            return Err(Error::bug("a write in a reading transaction"));
        }
        if *writes && transaction.adds_nothing {
            if text.trim_start().starts_with("INSERT") {
                return Err(Error::Full);
            }
            transaction.adds_nothing = false;
        }
        Ok(())
    }
}
