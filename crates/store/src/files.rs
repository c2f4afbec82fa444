//! The open organisation files: opened lazily, bounded in number, the longest unused closed first. One bad file stops its own
//! organisation and nobody else.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use domain::{Id, OrgId};

use crate::error::{Error, Result};
use crate::keys::{Secret, make_private_folder};
use crate::migrate;
use crate::sql::sqlite::{File, translate};

pub(crate) struct Files {
    folder: PathBuf,
    cache_kib: u32,
    most: usize,
    uses: AtomicU64,
    slots: Mutex<HashMap<OrgId, Slot>>,
}

struct Slot {
    used: u64,
    file: Arc<tokio::sync::OnceCell<Arc<File>>>,
}

impl Files {
    pub(crate) fn new(folder: PathBuf, most: usize, cache_kib: u32) -> Self {
        Self { folder, cache_kib, most, uses: AtomicU64::new(0), slots: Mutex::default() }
    }

    /// Where an organisation's file is: by its id, never by a name.
    pub(crate) fn path(&self, org: OrgId) -> PathBuf {
        let hex = org.uuid().simple().to_string();
        // The last digits of a UUIDv7 are random, so the folders fill evenly.
        self.folder.join(&hex[30..]).join(format!("{hex}.db"))
    }

    /// Gives the open file, opening it first when it is closed.
    pub(crate) async fn get(&self, org: OrgId, key: impl AsyncFnOnce() -> Result<Secret>) -> Result<Arc<File>> {
        let cell = self.slot(org)?;
        let opened = cell
            .get_or_try_init(async || {
                let key = key().await?;
                let (path, cache_kib) = (self.path(org), self.cache_kib);
                tokio::task::spawn_blocking(move || open(org, &path, &key, cache_kib))
                    .await
                    .map_err(|error| Error::bug(error.to_string()))?
                    .map(Arc::new)
            })
            .await;
        opened.cloned().map_err(|error| name(error, org))
    }

    /// Makes the file of a new organisation, with its head rows. Blocks.
    pub(crate) fn create(&self, org: OrgId, key: &Secret, now: i64) -> Result<()> {
        let path = self.path(org);
        let fail = |error: std::io::Error| Error::Unavailable(format!("{}: {error}", path.display()));
        make_private_folder(path.parent().unwrap_or(&self.folder)).map_err(fail)?;
        create_private(&path).map_err(fail)?;
        let file = File::open(&path, key.derive("file"), self.cache_kib, true)?;
        file.exclusively(|connection| {
            migrate::file(connection, migrate::ORG)?;
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

    /// Closes a file, so that the next use opens it afresh.
    pub(crate) fn close(&self, org: OrgId) {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner).remove(&org);
    }

    /// How many files are open or being opened.
    pub(crate) fn open_count(&self) -> usize {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    fn slot(&self, org: OrgId) -> Result<Arc<tokio::sync::OnceCell<Arc<File>>>> {
        let used = self.uses.fetch_add(1, Ordering::Relaxed);
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = slots.get_mut(&org) {
            slot.used = used;
            return Ok(slot.file.clone());
        }
        if slots.len() >= self.most {
            let idle =
                slots.iter().filter(|(_, slot)| slot.is_idle()).min_by_key(|(_, slot)| slot.used).map(|(org, _)| *org);
            slots.remove(&idle.ok_or(Error::Busy("all files that may be open are in use"))?);
        }
        let file = Arc::<tokio::sync::OnceCell<_>>::default();
        slots.insert(org, Slot { used, file: file.clone() });
        Ok(file)
    }
}

impl Slot {
    /// Whether nobody uses the file: dropping it then closes it.
    fn is_idle(&self) -> bool {
        Arc::strong_count(&self.file) == 1 && self.file.get().is_none_or(|file| Arc::strong_count(file) == 1)
    }
}

/// Adds whose file it was.
fn name(error: Error, org: OrgId) -> Error {
    match error {
        Error::Damaged { what, .. } => {
            tracing::error!(alarm = "tenant_damaged", %org, %what, "an organisation's store is damaged");
            Error::Damaged { org: org.to_string(), what }
        }
        other => other,
    }
}

fn create_private(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    // SQLite gives its side files the mode of the main one.
    std::fs::OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path).map(|_| ())
}

fn open(org: OrgId, path: &Path, key: &Secret, cache_kib: u32) -> Result<File> {
    if !path.exists() {
        return Err(Error::Damaged { org: String::new(), what: format!("{} is missing", path.display()) });
    }
    let file = File::open(path, key.derive("file"), cache_kib, false)?;
    file.exclusively(|connection| {
        // An empty file is not a new organisation but a lost one: it must not quietly become a fresh store.
        if migrate::version(connection)? == 0 {
            return Err(Error::Damaged { org: String::new(), what: "the file is empty".into() });
        }
        migrate::file(connection, migrate::ORG)?;
        let id: Vec<u8> =
            connection.query_row("SELECT id FROM tenant", [], |row| row.get(0)).map_err(|error| translate(&error))?;
        if id != org.uuid().as_bytes() {
            return Err(Error::Damaged { org: String::new(), what: "the file belongs to another organisation".into() });
        }
        Ok(())
    })?;
    Ok(file)
}
