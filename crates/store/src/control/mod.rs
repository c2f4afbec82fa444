//! The control database: people, their credentials, the directory of organisations. No tenant content.
//!
//! Here stands what must be decided at once for all nodes: who may sign in, who belongs where, which sessions and keys live.

pub mod api_keys;
pub mod erasures;
pub mod frozen;
pub mod installation;
pub mod invitations;
pub mod jobs;
pub mod mail_domains;
pub mod mails;
pub(crate) mod master_keys;
pub mod memberships;
pub mod organisations;
pub mod overrides;
pub mod people;
pub mod recovery_codes;
pub mod refusals;
pub mod sessions;
pub mod signing_keys;
pub mod throttles;
pub mod tickets;
pub mod webhook_turns;

use domain::{OrgId, Time};

use crate::actor::{Actor, Origin};
use crate::audit::{self, Draft, Event, Head};
use crate::sql::{Sql, Statement, Transaction};
use crate::{Result, Store, deliveries};

/// A transaction on the control database.
pub struct ControlTx {
    store: Store,
    transaction: Transaction,
    delivers: bool,
    shifts: bool,
    /// The head of the installation's audit chain after what was recorded here.
    head: Option<Head>,
}

impl std::fmt::Debug for ControlTx {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ControlTx")
    }
}

impl ControlTx {
    pub(crate) fn new(store: Store, transaction: Transaction) -> Self {
        Self { store, transaction, delivers: false, shifts: false, head: None }
    }

    pub(crate) fn sql(&mut self, text: impl Into<Sql>) -> Statement<'_> {
        self.transaction.sql(text)
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    pub(crate) fn now(&self) -> Time {
        self.store.ambient().now()
    }

    pub(crate) fn transaction(&mut self) -> &mut Transaction {
        &mut self.transaction
    }

    /// Records an event in an organisation's audit log. It is queued in this transaction and written there right after.
    /// # Errors
    /// As the database.
    pub async fn record(&mut self, org: OrgId, actor: &Actor, origin: &Origin, event: Event) -> Result<()> {
        let draft = Draft::new(self.store.ambient().id(), self.now(), actor, origin, event);
        if !deliveries::queue(self, org, deliveries::AUDIT, audit::to_payload(&draft)?).await? {
            return Err(crate::Error::NotFound("organisation"));
        }
        self.transaction.settle_audit();
        Ok(())
    }

    /// The work of [`ControlTx::record`] for an organisation that is not there: nothing is kept of it. For answers whose time must not
    /// tell who is known.
    /// # Errors
    /// As the database.
    pub async fn record_nowhere(&mut self, actor: &Actor, origin: &Origin, event: Event) -> Result<()> {
        let ambient = self.store.ambient();
        let (nowhere, draft) = (ambient.id(), Draft::new(ambient.id(), self.now(), actor, origin, event));
        deliveries::queue(self, nowhere, deliveries::AUDIT, audit::to_payload(&draft)?).await.map(drop)
    }

    /// Records an event in the installation's own audit log.
    /// # Errors
    /// As the database.
    pub async fn record_house(&mut self, actor: &Actor, origin: &Origin, event: Event) -> Result<()> {
        let draft = Draft::new(self.store.ambient().id(), self.now(), actor, origin, event);
        self.head = Some(audit::append(&mut self.transaction, draft).await?);
        Ok(())
    }

    pub(crate) fn will_deliver(&mut self) {
        self.delivers = true;
    }

    /// Says that rights change with this transaction, so that no cached ones are used after it.
    pub fn shift_authority(&mut self) {
        self.shifts = true;
    }

    /// Stores the sealed answer to a request with its effect. One that is older than a day under the same scope gives way.
    /// # Errors
    /// [`crate::Error::Taken`] when another request took effect under the same scope meanwhile.
    pub async fn remember(&mut self, scope: [u8; 32], request: [u8; 32], status: i64, response: Vec<u8>) -> Result<()> {
        let now = self.now();
        crate::idempotency::insert(&mut self.transaction, &scope, &request, status, &response, now).await
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
        let Self { store, transaction, delivers, shifts, head } = self;
        transaction.commit().await?;
        store.0.heads.grew(None, head);
        if shifts {
            store.forget_authority();
        }
        if delivers {
            store.0.deliveries.notify_one();
        }
        Ok(())
    }
}
