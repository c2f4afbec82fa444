//! Where Rowhouse keeps things: the control database, a store per organisation, and the doors into them.
//!
//! The tenant is a type. A transaction on an organisation's store comes from [`OrgStore`], an [`OrgStore`] from a [`Scope`], and the
//! `Scope` of a request from a verified credential. A claimed job has one ([`Store::enter_for`]), and so has what runs with nobody behind
//! it ([`Store::inspect`], [`Store::serve`]): these hold no rights, and no request may reach the last two.
//!
//! ```no_run
//! async fn through_the_doors(store: &store::Store, token: &str) -> Result<store::Tx, Box<dyn std::error::Error>> {
//!     let principal = store.authenticate(store::Credential::Bearer(token), &store::Origin::default()).await?;
//!     let scope: store::Scope = store.enter(&principal, None, None, store::Origin::default()).await?;
//!     Ok(store.open(&scope).begin().await?)
//! }
//! ```
//!
//! Nobody outside can make one, out of nothing, out of text, or by default:
//!
//! ```compile_fail,E0451
//! fn forge() -> store::Scope {
//!     store::Scope { 0: todo!() }
//! }
//! ```
//! ```compile_fail,E0277
//! fn forge(text: &str) -> store::Scope {
//!     serde_json::from_str::<store::Scope>(text).unwrap()
//! }
//! ```
//! ```compile_fail,E0277
//! fn forge() -> store::Scope {
//!     std::mem::take(&mut forge())
//! }
//! ```
//!
//! Nor a principal, nor a tenant's transaction without a scope, nor a statement of one's own in it:
//!
//! ```compile_fail,E0451
//! fn forge(real: store::Principal) -> store::Principal {
//!     store::Principal { operator: true, ..real }
//! }
//! ```
//! ```compile_fail,E0624
//! async fn around_the_doors(store: &store::Store, org: domain::OrgId) {
//!     let tx = store.tenant(org, todo!()).await;
//! }
//! ```
//! ```compile_fail,E0624
//! fn raw(tx: &mut store::Tx) {
//!     tx.sql("SELECT 1");
//! }
//! ```

mod actor;
pub mod audit;
mod authority;
pub mod blobs;
pub mod checks;
mod cipher;
mod cold;
pub mod control;
pub mod deliveries;
pub mod erasure;
mod error;
mod files;
mod heads;
pub mod idempotency;
mod kept;
pub mod keys;
mod knowledge_checks;
pub mod ledger;
pub mod migrate;
pub mod org;
pub mod orphans;
mod outline;
mod principal;
mod refusal;
mod rotation;
pub mod schema;
mod scope;
mod setup;
mod sql;
pub mod tokens;
mod troubles;
pub mod walls;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use deadpool_postgres::Pool;
use domain::{Ambient, Id, OrgId, UserId};
use tokio::sync::Semaphore;

pub use actor::{Actor, Origin};
pub use authority::Profile;
pub use control::ControlTx;
pub use error::{Error, OrNotFound, OrTaken, Result};
pub use heads::SignedHeads;
pub use keys::MasterKeys;
pub use org::{OrgStore, Sealed, Tx};
pub use principal::{Credential, Principal, SessionView};
pub use refusal::{Refusal, Stop};
pub use rotation::Rotation;
pub use scope::{Invited, KeyLimits, Scope, Stay, default_key_scopes};
pub use setup::{Place, Settings, address_fault, hex};
pub use sql::{Engine, Json};

use crate::files::Files;
use crate::keys::{Secret, sha256};
use crate::sql::{Access, Transaction, postgres, sqlite};

/// The storage of one installation; cheap to clone.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    issuer: String,
    ambient: Ambient,
    backend: Backend,
    master: RwLock<MasterKeys>,
    house: Secret,
    authorities: authority::Cache,
    signing: tokens::Keyring,
    heads: heads::Heads,
    /// Wakes whoever writes deliveries into organisations' stores.
    deliveries: tokio::sync::Notify,
    /// Wakes whoever does the work that waits.
    jobs: tokio::sync::Notify,
    /// Seals what people write, on PostgreSQL.
    ciphers: cipher::Ciphers,
    /// The folder of originals.
    blobs: PathBuf,
    /// The bucket of originals, when they are not in the folder.
    bucket: Option<Arc<blobs::Bucket>>,
    /// Wakes whoever tells organisations' webhooks.
    webhook_turns: tokio::sync::Notify,
    /// Of which organisation the last mail was that was claimed: the turn is the next one's.
    mail_turn: Mutex<Option<OrgId>>,
    /// Tells whoever writes to people how full their organisations are.
    warnings: org::quota_alerts::Warnings,
    /// Files that move between this disk and the bucket.
    cold: cold::Cold,
}

enum Backend {
    Embedded {
        control: Arc<sqlite::File>,
        ledger: Arc<sqlite::File>,
        /// Of the readers of the books, which are one file.
        ledger_shares: Shares,
        holds: Box<ledger::HoldLog>,
        files: Files,
        house_file: PathBuf,
    },
    Postgres {
        app: Pool,
        control: Pool,
        eraser: Pool,
        shares: Shares,
    },
}

/// Whose writers wait for each other. The embedded control file has one writer in any case; PostgreSQL gets the same order by a lock.
#[derive(Clone, Copy, Debug)]
pub enum Turn {
    /// Needs no order beyond the constraints.
    Free,
    /// Everything about one organisation in a row.
    Org(OrgId),
    /// Everything about one person in a row.
    Person(UserId),
}

impl Turn {
    /// The number of the advisory lock: a hash, since all tenants share the numbers.
    fn lock(self) -> Option<i64> {
        let name = match self {
            Self::Free => return None,
            Self::Org(org) => format!("org {org}"),
            Self::Person(user) => format!("person {user}"),
        };
        Some(lock_number(&name))
    }
}

fn lock_number(name: &str) -> i64 {
    let hash = sha256(name);
    i64::from_be_bytes([hash[0], hash[1], hash[2], hash[3], hash[4], hash[5], hash[6], hash[7]])
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Store({:?})", self.engine())
    }
}

impl Store {
    /// Which engine keeps the data.
    #[must_use]
    pub fn engine(&self) -> Engine {
        match self.0.backend {
            Backend::Embedded { .. } => Engine::Sqlite,
            Backend::Postgres { .. } => Engine::Postgres,
        }
    }

    /// The clock and randomness of this program.
    #[must_use]
    pub fn ambient(&self) -> &Ambient {
        &self.0.ambient
    }

    /// The store of a scope's organisation. Opens nothing yet.
    #[must_use]
    pub fn open(&self, scope: &Scope) -> OrgStore {
        OrgStore::new(self.clone(), scope.clone())
    }

    /// A transaction that reads the control database.
    /// # Errors
    /// As the database.
    pub async fn read_control(&self) -> Result<ControlTx> {
        self.control(Access::Read, &[]).await
    }

    /// A transaction that writes to the control database.
    /// # Errors
    /// As the database; [`Error::Busy`] when its turn does not come.
    pub async fn begin_control(&self, turn: Turn) -> Result<ControlTx> {
        self.control(Access::Write, &[turn]).await
    }

    /// As [`Store::begin_control`], for what is about several at once.
    /// # Errors
    /// As [`Store::begin_control`].
    pub async fn begin_control_about(&self, turns: &[Turn]) -> Result<ControlTx> {
        self.control(Access::Write, turns).await
    }

    /// A one-way hash of a secret that this installation gave out; useless without the house key.
    #[must_use]
    pub fn fingerprint(&self, label: &'static str, secret: &[u8]) -> [u8; 32] {
        self.0.house.mac(label, secret)
    }

    /// Seals bytes for one place in the control database.
    #[must_use]
    pub fn seal(&self, place: &str, bytes: &[u8]) -> Vec<u8> {
        self.0.house.seal(&self.0.ambient, place, bytes)
    }

    /// Opens what [`Store::seal`] made for the same place.
    /// # Errors
    /// [`Error::Sealed`] when it does not open.
    pub fn unseal(&self, place: &str, sealed: &[u8]) -> Result<Vec<u8>> {
        self.0.house.open(place, sealed).map(|bytes| bytes.to_vec())
    }

    /// How many organisation files are open; 0 on PostgreSQL.
    #[must_use]
    pub fn open_files(&self) -> usize {
        match &self.0.backend {
            Backend::Embedded { files, .. } => files.open_count(),
            Backend::Postgres { .. } => 0,
        }
    }

    /// Closes organisations' files that nobody has used since the given time, at most a hundred at a time; says how many.
    /// # Errors
    /// As the runtime.
    pub async fn close_idle_files(&self, since: domain::Time) -> Result<usize> {
        let store = self.clone();
        let closing = tokio::task::spawn_blocking(move || match &store.0.backend {
            Backend::Embedded { files, .. } => files.close_idle(since, 100),
            Backend::Postgres { .. } => {
                // Ciphers that nobody used for a while go, too.
                store.0.ciphers.run_pending_tasks();
                0
            }
        });
        closing.await.map_err(|error| Error::bug(error.to_string()))
    }

    /// Checks that the disk has room for a new organisation, before anything of it is written.
    /// # Errors
    /// [`Error::Full`] when it has not.
    pub fn check_room(&self) -> Result<()> {
        match &self.0.backend {
            Backend::Embedded { files, .. } if !files.has_room() => Err(Error::Full),
            _ => Ok(()),
        }
    }

    async fn control(&self, access: Access, turns: &[Turn]) -> Result<ControlTx> {
        let transaction = match &self.0.backend {
            Backend::Embedded { control, .. } => Transaction::sqlite(control.begin(access).await?, access),
            Backend::Postgres { control, .. } => {
                let mut locks: Vec<i64> = turns.iter().filter_map(|turn| turn.lock()).collect();
                // All who take several take them in this order, so that none waits for the other.
                locks.sort_unstable();
                Transaction::postgres(postgres::begin(control, access, None, &locks).await?, access)
            }
        };
        Ok(ControlTx::new(self.clone(), transaction))
    }

    /// A transaction on an organisation's store. Inside this crate alone: outside, a [`Scope`] is the way.
    async fn tenant(&self, org: OrgId, access: Access) -> Result<Transaction> {
        match &self.0.backend {
            Backend::Embedded { files, .. } => {
                let file = self.file(files, org).await?;
                let has_room = access == Access::Read || files.admit_write(org)?;
                Ok(Transaction::sqlite(file.begin(access).await?, access).on_a_disk_with(has_room))
            }
            Backend::Postgres { app, shares, .. } => {
                let cipher = self.cipher(org).await?;
                let share = shares.take(org).await?;
                // One writer per organisation, as in the embedded engine, so that both behave the same under races.
                let lock = (access == Access::Write).then(|| lock_number(&format!("tenant {org}")));
                let begun = postgres::begin(app, access, Some(org.uuid()), lock.as_slice()).await?;
                Ok(Transaction::postgres(begun.within(share), access).sealing_by(cipher))
            }
        }
    }

    /// The cipher of an organisation's texts on PostgreSQL. None when its key was destroyed or cannot be unwrapped: what needs it is
    /// refused then, all else goes on.
    async fn cipher(&self, org: OrgId) -> Result<Option<Arc<cipher::Cipher>>> {
        if let Some(cipher) = self.0.ciphers.get(&org) {
            return Ok(Some(cipher));
        }
        let key = match self.org_key(org).await {
            Ok(key) => key,
            Err(error @ (Error::NotFound(_) | Error::Sealed(_) | Error::Setup(_))) => {
                tracing::warn!(%org, %error, "the texts of an organisation cannot be opened");
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let cipher = Arc::new(cipher::Cipher::new(org, &key, self.0.ambient.clone()));
        self.0.ciphers.insert(org, cipher.clone());
        Ok(Some(cipher))
    }

    /// The open file of an organisation; wherever it lay.
    async fn file(&self, files: &Files, org: OrgId) -> Result<Arc<sqlite::File>> {
        files.get(org, self.0.ambient.now(), async || self.org_key(org).await, async || self.wake(org).await).await
    }

    /// Makes the empty store of an organisation whose control row exists; repeating it changes nothing.
    /// # Errors
    /// As the database or the disk.
    pub async fn provision(&self, org: OrgId) -> Result<()> {
        let now = self.0.ambient.now();
        if let Backend::Embedded { .. } = self.0.backend {
            let key = self.org_key(org).await?;
            let store = self.clone();
            let made = tokio::task::spawn_blocking(move || match &store.0.backend {
                Backend::Embedded { files, .. } => files.create(org, &key, now.micros()),
                Backend::Postgres { .. } => Ok(()),
            });
            return made.await.map_err(|error| Error::bug(error.to_string()))?;
        }
        let mut tx = self.tenant(org, Access::Write).await?;
        tx.sql("INSERT INTO tenant (one, id, created_at) VALUES (1, $1, $2) ON CONFLICT DO NOTHING")
            .bind(org)
            .bind(now)
            .unaudited("the organisation's first entry follows")
            .run()
            .await?;
        tx.sql("INSERT INTO audit_head (one, seq, hash) VALUES (1, 0, $1) ON CONFLICT DO NOTHING")
            .bind([0; 32])
            .unaudited("the head of the chain itself")
            .run()
            .await?;
        tx.commit().await
    }
}

/// Keeps one organisation from holding more than its share of connections that are there for all.
struct Shares {
    each: usize,
    taken: Mutex<HashMap<OrgId, Arc<Semaphore>>>,
}

impl Shares {
    fn new(each: usize) -> Self {
        Self { each, taken: Mutex::default() }
    }

    async fn take(&self, org: OrgId) -> Result<tokio::sync::OwnedSemaphorePermit> {
        let share = {
            let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
            if taken.len() > 4096 {
                taken.retain(|_, share| Arc::strong_count(share) > 1);
            }
            taken.entry(org).or_insert_with(|| Arc::new(Semaphore::new(self.each))).clone()
        };
        tokio::time::timeout(std::time::Duration::from_secs(2), share.acquire_owned())
            .await
            .map_err(|_| Error::Busy("the organisation uses its share of the database"))?
            .map_err(|_| Error::bug("closed"))
    }
}

/// Where the answer to an idempotent request is stored: with its effect.
#[derive(Clone, Copy, Debug)]
pub enum Recall<'a> {
    /// In the control database.
    Control,
    /// In an organisation's store, or in the control database when the effect was there.
    Org(&'a Scope),
}

impl Store {
    /// An answer that was stored under a scope since the given time.
    /// # Errors
    /// As the databases.
    pub async fn recall(
        &self,
        place: Recall<'_>,
        scope: [u8; 32],
        since: domain::Time,
    ) -> Result<Option<idempotency::Stored>> {
        let mut tx = self.read_control().await?;
        let mut found = idempotency::find(tx.transaction(), &scope).await?;
        drop(tx);
        if let (None, Recall::Org(within)) = (&found, place) {
            let mut tx = self.open(within).read().await?;
            found = idempotency::find(tx.transaction(), &scope).await?;
        }
        Ok(found.filter(|stored| stored.created_at >= since))
    }
}
