//! One organisation's store, reached through a [`Scope`].

pub mod aliases;
pub mod audits;
pub mod budgets;
pub mod configs;
pub mod connections;
pub mod knowledge;
pub mod members;
pub mod projects;
pub mod providers;
pub mod quota_alerts;
pub mod rate_limits;
pub mod roles;
pub(crate) mod succession;
pub mod teams;
pub mod webhook_messages;
pub mod webhooks;

use std::collections::BTreeSet;

use domain::{Ambient, DocumentId, Id, OrgId, Time};
use zeroize::Zeroizing;

use crate::audit::{self, Draft, Event, Head};
use crate::scope::Scope;
use crate::sql::{Access, Sql, Statement, Transaction};
use crate::{Error, Result, Store};

/// The store of one organisation.
#[derive(Debug, Clone)]
pub struct OrgStore {
    store: Store,
    scope: Scope,
}

impl OrgStore {
    pub(crate) fn new(store: Store, scope: Scope) -> Self {
        Self { store, scope }
    }

    /// A transaction that writes. Writers of one organisation take turns.
    /// # Errors
    /// As the database; [`crate::Error::Damaged`] when the organisation's file cannot be opened.
    pub async fn begin(&self) -> Result<Tx> {
        self.transaction(Access::Write).await
    }

    /// A transaction that reads one state of the store.
    /// # Errors
    /// As [`OrgStore::begin`].
    pub async fn read(&self) -> Result<Tx> {
        self.transaction(Access::Read).await
    }

    /// Seals bytes under the organisation's own key, for one column of one row: they open nowhere else. Do it before a transaction
    /// begins, since the key stands in the control database.
    /// # Errors
    /// As the database.
    pub async fn seal(&self, column: &'static str, row: impl Id, bytes: &[u8]) -> Result<Sealed> {
        let key = self.store.org_key(self.scope.org()).await?;
        let place = self.place(column, row, KEY_VERSION);
        Ok(Sealed { bytes: key.seal(self.store.ambient(), &place, bytes), key_version: KEY_VERSION })
    }

    /// Opens what [`OrgStore::seal`] made for the same column and row of the same organisation.
    /// # Errors
    /// [`Error::Sealed`] when it does not open.
    pub async fn unseal(
        &self,
        column: &'static str,
        row: impl Id,
        sealed: &[u8],
        key_version: i64,
    ) -> Result<Zeroizing<Vec<u8>>> {
        if key_version != KEY_VERSION {
            return Err(Error::Sealed("a key of the organisation that there is not"));
        }
        self.store.org_key(self.scope.org()).await?.open(&self.place(column, row, key_version), sealed)
    }

    fn place(&self, column: &'static str, row: impl Id, key_version: i64) -> String {
        format!("{} | {column} | {} | {key_version}", self.scope.org().uuid(), row.uuid())
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    pub(crate) fn scope(&self) -> &Scope {
        &self.scope
    }

    async fn transaction(&self, access: Access) -> Result<Tx> {
        let transaction = self.store.tenant(self.scope.org(), access).await?;
        Ok(Tx {
            store: self.store.clone(),
            scope: self.scope.clone(),
            transaction,
            shifts: false,
            calls: false,
            warns: false,
            head: None,
        })
    }
}

/// An organisation has had one key so far; a new one will count on.
const KEY_VERSION: i64 = 1;

/// Sealed bytes, and which of the organisation's keys sealed them.
#[derive(Debug, Clone)]
pub struct Sealed {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// The key.
    pub key_version: i64,
}

/// A transaction on one organisation's store.
pub struct Tx {
    store: Store,
    scope: Scope,
    transaction: Transaction,
    shifts: bool,
    /// Whether something is to be told to webhooks.
    calls: bool,
    /// Whether people are to be told how full it is.
    warns: bool,
    /// The head of the audit chain after what was recorded here.
    head: Option<Head>,
}

impl std::fmt::Debug for Tx {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tx({})", self.scope.org())
    }
}

impl Tx {
    pub(crate) fn sql(&mut self, text: impl Into<Sql>) -> Statement<'_> {
        self.transaction.sql(text)
    }

    /// What stands in a column for a text that is looked for as a whole: in a file the text itself, on PostgreSQL a keyed hash.
    pub(crate) fn stand_in(&self, column: &'static str, text: &str) -> Result<String> {
        let cipher = self.transaction.cipher()?;
        Ok(cipher.map_or_else(|| text.to_owned(), |cipher| cipher.name(column, text)))
    }

    pub(crate) fn transaction(&mut self) -> &mut Transaction {
        &mut self.transaction
    }

    /// Whose store this is.
    #[must_use]
    pub fn org(&self) -> OrgId {
        self.scope.org()
    }

    /// The clock and randomness.
    #[must_use]
    pub fn ambient(&self) -> &Ambient {
        self.store.ambient()
    }

    /// The time now.
    #[must_use]
    pub fn now(&self) -> Time {
        self.store.ambient().now()
    }

    /// Records an event in the organisation's audit log, in this transaction.
    /// # Errors
    /// As the database.
    pub async fn record(&mut self, event: Event) -> Result<()> {
        let draft = Draft::new(self.store.ambient().id(), self.now(), self.scope.actor(), self.scope.origin(), event);
        self.head = Some(audit::append(&mut self.transaction, draft).await?);
        Ok(())
    }

    /// Says that rights change with this transaction, so that no cached ones are used after it.
    pub fn shift_authority(&mut self) {
        self.shifts = true;
    }

    /// Says that there is something to tell to webhooks after this transaction.
    pub fn will_call(&mut self) {
        self.calls = true;
    }

    /// Says that people are to be told how full it is after this transaction.
    pub(crate) fn will_warn(&mut self) {
        self.warns = true;
    }

    /// Stores the sealed answer to a request with its effect. One that is older than a day under the same scope gives way. It is kept
    /// as long as all the documents are there that it tells of.
    /// # Errors
    /// [`crate::Error::Taken`] when another request took effect under the same scope meanwhile.
    pub async fn remember(
        &mut self,
        scope: [u8; 32],
        request: [u8; 32],
        status: i64,
        response: Vec<u8>,
        documents: &BTreeSet<DocumentId>,
    ) -> Result<()> {
        let now = self.now();
        // Nobody opens an organisation's store only to tidy it: what is written pays for what is forgotten.
        crate::idempotency::sweep(&mut self.transaction, now - crate::idempotency::KEPT).await?;
        crate::idempotency::insert(&mut self.transaction, &scope, &request, status, &response, now).await?;
        knowledge::citings::note_kept(self, &scope, documents).await
    }

    /// Forgets answers to repeated requests that were given before the given time; at most a thousand.
    /// # Errors
    /// As the database.
    pub async fn sweep_answers(&mut self, before: Time) -> Result<u64> {
        crate::idempotency::sweep(&mut self.transaction, before).await
    }

    /// Makes everything durable.
    /// # Errors
    /// As the database; a change without an audit entry is refused.
    pub async fn commit(self) -> Result<()> {
        let Self { store, transaction, shifts, calls, warns, head, scope } = self;
        transaction.commit().await?;
        store.0.heads.grew(Some(scope.org()), head);
        if shifts {
            store.forget_authority();
        }
        if warns {
            store.0.warnings.tell(&scope);
        }
        if calls && let Err(error) = store.mark_webhook_turn(scope.org()).await {
            // What was decided stands, so it is no failure of this; it is told with the organisation's next event.
            tracing::error!(org = %scope.org(), %error, "webhooks are told later: the mark for it could not be set");
        }
        Ok(())
    }
}
