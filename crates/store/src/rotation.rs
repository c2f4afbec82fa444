//! A new master key, beside servers that run: it is added to the file, and everything that was wrapped under the old one is wrapped anew.
//! The old one stays in the file: houses of one machine share it, and so do backups. Nobody here can tell what else opens with it.
//!
//! The control database lists the keys that may wrap; each organisation's row names the one that wraps its key, and the database
//! refuses to take that one off the list. So a server that has not noticed yet may go on to wrap under the old key: it is wrapped anew
//! in the next round, and only when nothing is left the old key is unlisted. It can be stopped at any point and run again.

use std::fs::{File, TryLockError};
use std::sync::{PoisonError, RwLockReadGuard};

use domain::OrgId;
use serde::Deserialize;

use crate::actor::{Actor, Origin};
use crate::audit::Event;
use crate::control::{ControlTx, installation, master_keys, organisations};
use crate::keys::{HOUSE, Secret, place_of, wrapped_by, write_private};
use crate::setup::{hex, unhex};
use crate::{Backend, Error, MasterKeys, Result, Store, Turn};

/// How far a rotation came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rotation {
    /// Organisations whose key was wrapped anew in this run.
    pub rewrapped: usize,
    /// Whether nothing of this house is wrapped under an older master key any more.
    pub done: bool,
}

/// Organisations in one transaction.
const BATCH: i64 = 100;
/// How often the old key is tried to be taken off the list while servers still wrap under it.
const ROUNDS: usize = 100;

#[derive(Deserialize)]
struct Wrapped {
    id: OrgId,
    wrapped_key: Vec<u8>,
}

impl Store {
    /// Adds a new key to the master key file of this machine and nothing more, for a house whose servers have a copy of the file each:
    /// they get the new one before anything is wrapped under it. Says whether one was added; there is one already when a rotation was
    /// prepared before, or is under way.
    /// # Errors
    /// As the file; [`Error::Refused`] when the file lacks the newest key.
    pub async fn prepare_master_rotation(&self) -> Result<bool> {
        let _turn = turn(&self.master_keys())?;
        let listed = self.listed_keys().await?;
        let (_, added) = self.with_next_key(&listed)?;
        Ok(added)
    }

    /// Replaces the master key; at most `most` organisations are rewrapped, then it stops half way and can be run again. Servers on the
    /// same data go on meanwhile.
    /// # Errors
    /// As the databases and the disk; [`Error::Refused`] when the file lacks the newest key. Whatever failed, all data can still be
    /// opened with the keys in the file.
    pub async fn rotate_master(&self, most: usize) -> Result<Rotation> {
        let _turn = turn(&self.master_keys())?;
        let new = self.begin_rotation().await?;
        self.rewrap_house(&new).await?;
        let mut rewrapped = 0;
        for _ in 0..ROUNDS {
            while let Some(count) = self.rewrap_some(&new, most - rewrapped).await? {
                if count == 0 {
                    return Ok(Rotation { rewrapped, done: false });
                }
                rewrapped += count;
            }
            if self.end_rotation(&new).await? {
                return Ok(Rotation { rewrapped, done: true });
            }
        }
        Err(Error::Busy("servers go on to wrap under the old master key; run it again"))
    }

    /// Reads the master key file anew: a server learns of keys that were added, and forgets those that were taken out and that nothing is wrapped under.
    /// # Errors
    /// [`Error::Setup`] when the file cannot be read or lacks a key that is needed; the keys known so far stay known.
    pub async fn refresh_master_keys(&self) -> Result<()> {
        let listed = self.listed_keys().await?;
        let fresh = MasterKeys::load(self.master_keys().path())?;
        let lacking = listed.iter().find(|name| !fresh.knows(name)).map(|name| fresh.lacks(name));
        self.adopt(fresh, &listed);
        lacking.map_or(Ok(()), Err)
    }

    /// The key of an organisation's store.
    pub(crate) async fn org_key(&self, org: OrgId) -> Result<Secret> {
        let mut tx = self.read_control().await?;
        let mut wrapped = organisations::wrapped_key(&mut tx, org).await?;
        drop(tx);
        if !self.master_keys().knows(&wrapped_by(&wrapped)) {
            self.refresh_master_keys().await?;
            // It may have been wrapped anew since it was read, and the key it was wrapped under forgotten.
            let mut tx = self.read_control().await?;
            wrapped = organisations::wrapped_key(&mut tx, org).await?;
        }
        self.master_keys().unwrap(&place_of(org), &wrapped)
    }

    fn master_keys(&self) -> RwLockReadGuard<'_, MasterKeys> {
        self.0.master.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn adopt(&self, fresh: MasterKeys, needed: &[String]) {
        self.0.master.write().unwrap_or_else(PoisonError::into_inner).adopt(fresh, needed);
    }

    async fn listed_keys(&self) -> Result<Vec<String>> {
        master_keys::listed(&mut self.read_control().await?).await
    }

    /// The file with a key in it that is newer than the one that wraps, and whether it had to be added.
    fn with_next_key(&self, listed: &[String]) -> Result<(MasterKeys, bool)> {
        let mut file = MasterKeys::load(self.master_keys().path())?;
        let newest = listed.first().ok_or_else(|| Error::bug("no master key is listed"))?;
        if !file.knows(newest) {
            return Err(Error::Refused(file.lacks(newest).to_string()));
        }
        let add = listed.len() == 1 && file.newest() == *newest;
        if add {
            file.add(&self.0.ambient)?;
        }
        Ok((file, add))
    }

    /// Has a new key wrap from now on, or goes on with the one that does; gives its name.
    async fn begin_rotation(&self) -> Result<String> {
        let listed = self.listed_keys().await?;
        let (file, _) = self.with_next_key(&listed)?;
        let new = if listed.len() == 1 { file.newest() } else { listed[0].clone() };
        // Known before it is listed: this process wraps, too.
        self.adopt(file, &listed);
        if listed.len() == 1 {
            let mut tx = self.begin_control(Turn::Free).await?;
            master_keys::list(&mut tx, &new).await?;
            let event = Event::new("keys.master_rotation_begun", format!("master key {new}"));
            tx.record_house(&Actor::System, &Origin::default(), event).await?;
            tx.commit().await?;
        }
        Ok(new)
    }

    /// Wraps some organisations' keys anew, at most as many as given; says how many, or nothing when all are.
    async fn rewrap_some(&self, new: &str, most: usize) -> Result<Option<usize>> {
        let mut tx = self.begin_control(Turn::Free).await?;
        let page: Vec<Wrapped> = tx
            // There are two keys on the list at most, so this names the one; a search by another name would walk the index.
            .sql(
                "SELECT id, wrapped_key FROM organisations
                 WHERE wrapped_by = (SELECT name FROM master_keys WHERE name <> $1) ORDER BY id LIMIT $2",
            )
            .bind(new)
            .bind(BATCH)
            .all()
            .await?;
        if page.is_empty() {
            return Ok(None);
        }
        let mut rewrapped = 0;
        for Wrapped { id, wrapped_key } in page.into_iter().take(most) {
            // The key of an organisation that was erased is gone.
            let again =
                if wrapped_key.is_empty() { Vec::new() } else { self.rewrap(new, &place_of(id), &wrapped_key)? };
            tx.sql("UPDATE organisations SET wrapped_key = $2, wrapped_by = $3 WHERE id = $1 AND wrapped_key = $4")
                .bind(id)
                .bind(again)
                .bind(new)
                .bind(wrapped_key)
                .unaudited("the rotation as a whole is recorded at its begin and its end")
                .run()
                .await?;
            rewrapped += 1;
        }
        tx.commit().await?;
        Ok(Some(rewrapped))
    }

    /// Takes the old keys off the list; says whether nothing was wrapped under them any more.
    async fn end_rotation(&self, new: &str) -> Result<bool> {
        let mut tx = self.begin_control(Turn::Free).await?;
        match master_keys::unlist_all_but(&mut tx, new).await {
            // A server was about to wrap something under the old one.
            Err(Error::Refused(_)) => return Ok(false),
            other => other?,
        }
        let listed = master_keys::listed(&mut tx).await?;
        if listed != [new] {
            return Ok(false);
        }
        let event = Event::new("keys.master_rotated", format!("master key {new}"));
        tx.record_house(&Actor::System, &Origin::default(), event).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// The same key wrapped under the new master key.
    fn rewrap(&self, new: &str, place: &str, wrapped: &[u8]) -> Result<Vec<u8>> {
        let master = self.master_keys();
        let key = master.unwrap(place, wrapped)?;
        master.wrap(new, &self.0.ambient, place, &key)
    }

    async fn rewrap_house(&self, new: &str) -> Result<()> {
        if let Backend::Embedded { house_file, .. } = &self.0.backend {
            let wrapped = std::fs::read(house_file)
                .map_err(|error| Error::Setup(format!("{} cannot be read: {error}", house_file.display())))?;
            if wrapped_by(&wrapped) == new {
                return Ok(());
            }
            return write_private(house_file, &self.rewrap(new, HOUSE, &wrapped)?);
        }
        let mut tx = self.begin_control(Turn::Free).await?;
        let wrapped = installation::find(&mut tx, "house_key").await?.ok_or_else(|| Error::bug("no house key"))?;
        let wrapped = unhex(&wrapped)?;
        if wrapped_by(&wrapped) == new {
            return Ok(());
        }
        installation::set(&mut tx, "house_key", &hex(&self.rewrap(new, HOUSE, &wrapped)?)).await?;
        tx.commit().await
    }
}

/// Makes the key of a new organisation; gives the name of the master key that wraps it, and the wrapped key.
pub(crate) async fn new_org_key(tx: &mut ControlTx, org: OrgId) -> Result<(String, Vec<u8>)> {
    let listed = master_keys::listed(tx).await?;
    let store = tx.store().clone();
    let newest = listed.first().ok_or_else(|| Error::bug("no master key is listed"))?;
    if !store.master_keys().knows(newest) {
        let path = store.master_keys().path().to_owned();
        match MasterKeys::load(&path) {
            Ok(fresh) => store.adopt(fresh, &listed),
            Err(error) => tracing::error!(%error, "a new master key could not be read"),
        }
    }
    let master = store.master_keys();
    // The old one does as long as it is listed: what it wraps is wrapped anew before it is unlisted.
    let under = listed.iter().find(|name| master.knows(name)).ok_or_else(|| master.lacks(newest))?;
    let key = Secret::random(&store.0.ambient);
    Ok((under.clone(), master.wrap(under, &store.0.ambient, &place_of(org), &key)?))
}

/// Keeps two rotations with the same file apart, for as long as what is given lives.
fn turn(master: &MasterKeys) -> Result<File> {
    let path = master.path().with_extension("lock");
    let cannot = |error: std::io::Error| Error::Setup(format!("{} cannot be locked: {error}", path.display()));
    let file = File::options().write(true).create(true).truncate(false).open(&path).map_err(cannot)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            Err(Error::Refused("another rotation of the master key is under way on this machine".into()))
        }
        Err(TryLockError::Error(error)) => Err(cannot(error)),
    }
}
