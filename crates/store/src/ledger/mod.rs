//! The books: what organisations hold and have used. All of them stand in one file on the embedded engine, so that one flush serves
//! every call that waits, and beside the other tables of the organisations, behind the same wall, on PostgreSQL (decision 7).
//!
//! Where the file is not the tenant, the statement must name it: a [`Page`] is opened with a [`Scope`] and binds its organisation as
//! `$1` of each statement. Nothing else can run one.

pub mod admissions;
pub mod alerts;
pub mod balances;
mod ending;
pub mod entries;
pub mod holds;
pub mod journeys;
mod log;
pub mod summary;

use domain::{Id, OrgId, Time};
use tokio::sync::OwnedSemaphorePermit;

pub(crate) use self::log::HoldLog;
use crate::scope::Scope;
use crate::sql::{Access, Sql, Statement, Transaction, postgres};
use crate::{Backend, Error, Result, Store, lock_number};

/// A transaction on the books.
pub struct LedgerTx {
    transaction: Transaction,
    /// On PostgreSQL a transaction is one organisation's; the embedded file has one writer, who may serve several in one go.
    only: Option<OrgId>,
    now: Time,
    /// The organisation's share of the readers of the embedded file, given back after the transaction.
    _share: Option<OwnedSemaphorePermit>,
}

impl std::fmt::Debug for LedgerTx {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LedgerTx")
    }
}

/// One organisation's page of the books, within a transaction.
pub struct Page<'t> {
    transaction: &'t mut Transaction,
    org: OrgId,
    now: Time,
}

impl std::fmt::Debug for Page<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Page({})", self.org)
    }
}

/// An id within JSON, as both engines read one.
fn hex(id: impl Id) -> String {
    id.uuid().simple().to_string()
}

impl LedgerTx {
    /// The page of a scope's organisation.
    /// # Errors
    /// [`Error::Bug`] on PostgreSQL when the transaction is another organisation's.
    pub fn page(&mut self, scope: &Scope) -> Result<Page<'_>> {
        self.page_of(scope.org())
    }

    /// The page of an organisation that nobody has a scope for: one that is being erased, or is looked at from outside.
    pub(crate) fn page_of(&mut self, org: OrgId) -> Result<Page<'_>> {
        if self.only.is_some_and(|only| only != org) {
            return Err(Error::bug("a transaction on the books of another organisation"));
        }
        Ok(Page { transaction: &mut self.transaction, org, now: self.now })
    }

    /// Makes what was written outlive this program. On the embedded engine a power cut can still take it until
    /// [`Store::flush_ledger`]; on PostgreSQL it is durable.
    /// # Errors
    /// As the database.
    pub async fn commit(self) -> Result<()> {
        self.transaction.commit().await
    }
}

impl Page<'_> {
    /// A statement; its `$1` is the organisation.
    pub(crate) fn sql(&mut self, text: impl Into<Sql>) -> Statement<'_> {
        self.transaction.sql(text).bind(self.org).unaudited("the books are a record of their own")
    }

    /// Whose page it is.
    #[must_use]
    pub fn org(&self) -> OrgId {
        self.org
    }

    /// The time at which the transaction began.
    #[must_use]
    pub fn now(&self) -> Time {
        self.now
    }
}

impl Store {
    /// A transaction that writes to the books; on PostgreSQL those of the scope's organisation alone, whose writers take turns.
    /// # Errors
    /// As the database.
    pub async fn begin_ledger(&self, scope: &Scope) -> Result<LedgerTx> {
        self.ledger(scope.org(), Access::Write).await
    }

    /// A transaction that reads the books.
    /// # Errors
    /// As the database.
    pub async fn read_ledger(&self, scope: &Scope) -> Result<LedgerTx> {
        self.ledger(scope.org(), Access::Read).await
    }

    /// A transaction that writes to the embedded file, whoever's page.
    async fn write_books(&self) -> Result<LedgerTx> {
        let Backend::Embedded { ledger, .. } = &self.0.backend else {
            return Err(Error::bug("on PostgreSQL a transaction on the books is one organisation's"));
        };
        let transaction = Transaction::sqlite(ledger.begin(Access::Write).await?, Access::Write);
        Ok(LedgerTx { transaction, only: None, now: self.ambient().now(), _share: None })
    }

    /// A transaction on the books of an organisation. Inside this crate alone: outside, a [`Scope`] is the way.
    pub(crate) async fn ledger(&self, org: OrgId, access: Access) -> Result<LedgerTx> {
        let now = self.ambient().now();
        match &self.0.backend {
            Backend::Embedded { ledger, ledger_shares, .. } => {
                let share = match access {
                    Access::Read => Some(ledger_shares.take(org).await?),
                    Access::Write => None,
                };
                let transaction = Transaction::sqlite(ledger.begin(access).await?, access);
                Ok(LedgerTx { transaction, only: None, now, _share: share })
            }
            Backend::Postgres { app, shares, .. } => {
                let share = shares.take(org).await?;
                let turn = [lock_number(&format!("ledger {org}"))];
                let locks = if access == Access::Write { &turn[..] } else { &[] };
                let begun = postgres::begin(app, access, Some(org.uuid()), locks).await?;
                let transaction = Transaction::postgres(begun.within(share), access);
                Ok(LedgerTx { transaction, only: Some(org), now, _share: None })
            }
        }
    }

    /// Makes everything that was committed to the books so far survive a power cut. One flush for all organisations.
    /// # Errors
    /// As the disk. A flush that failed is not tried again: what it covered may be lost.
    pub async fn flush_ledger(&self) -> Result<()> {
        match &self.0.backend {
            Backend::Embedded { ledger, .. } => ledger.flush().await,
            Backend::Postgres { .. } => Ok(()),
        }
    }

    /// Whether a commit to the books needs a flush to survive a power cut.
    #[must_use]
    pub fn ledger_needs_flushing(&self) -> bool {
        matches!(self.0.backend, Backend::Embedded { .. })
    }
}
