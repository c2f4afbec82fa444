//! Cold organisations: the file of one that nobody used for long lies in the bucket, sealed once more, and comes back with its first use
//! ([decision 23](../../../../docs/decisions/0023-cold-organisations.md)).
//!
//! Where the truth is the data folder says by itself. A file that stands at its place is the truth. When there is none, a **stub** beside
//! the place names the object that is; without a stub the file is lost, as it always was. The control database only lists them
//! ([`crate::control::frozen`]), so that nobody needs to write there to open a file.
//!
//! | a crash after | leaves | and then |
//! |---|---|---|
//! | the note in control | a file | the note is taken back |
//! | the upload | a file, an object | the object and the note are taken away |
//! | the stub | a file, an object, a stub | the file counts; the rest is taken away when it is opened |
//! | removing the file | an object, a stub | it is cold |
//! | the file came back | a file, an object, a stub | the file counts; the rest is taken away when it is opened |
//! | removing the stub | a file, an object | the object and the note are taken away |
//!
//! A file or a stub that was half written lies beside its place under another name; it goes with the next move.

mod freeze;
mod thaw;

use std::collections::HashMap;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use domain::{OrgId, Time};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use crate::blobs::Blobs;
use crate::control::frozen;
use crate::files::Files;
use crate::{Backend, Error, Result, Store, Turn};

/// Files that come back at the same time.
const AT_ONCE: usize = 4;
/// How long whoever opens an organisation waits for its file; it goes on coming after that.
const WAIT: Duration = Duration::from_secs(20);
/// How long it is believed that an object cannot be had, before it is asked for again.
const BELIEVED: Duration = Duration::from_secs(2);
/// Organisations that are read at a time.
const PAGE: i64 = 1000;

/// What a stub says.
#[derive(Debug, Serialize, Deserialize)]
struct Stub {
    /// The SHA-256 of the file, in hexadecimal.
    hash: String,
    /// How long it is.
    bytes: u64,
    /// When it went.
    at: Time,
}

impl Stub {
    fn read(path: &Path) -> Result<Self> {
        let damaged = |what: String| Error::Damaged { org: String::new(), what };
        let text = std::fs::read(path).map_err(|error| damaged(format!("{}: {error}", path.display())))?;
        serde_json::from_slice(&text).map_err(|_| damaged(format!("{} is no stub", path.display())))
    }

    fn write(&self, path: &Path) -> std::io::Result<()> {
        use std::os::unix::fs::OpenOptionsExt as _;
        let draft = path.with_extension("cold-draft");
        let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
        file.write_all(&serde_json::to_vec(self)?)?;
        file.sync_all()?;
        std::fs::rename(&draft, path)?;
        sync_folder(path)
    }
}

/// Where the stub of a file is.
pub(crate) fn stub_of(file: &Path) -> PathBuf {
    file.with_extension("cold")
}

/// Makes durable what was added to and removed from the folder of a file.
fn sync_folder(file: &Path) -> std::io::Result<()> {
    file.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

/// Removes a file, durably; none is as well.
fn remove(path: &Path) -> std::io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(()) => sync_folder(path),
    }
}

/// What this process knows of files that move.
#[derive(Debug)]
pub(crate) struct Cold {
    /// One move at a time for each organisation.
    turns: Mutex<HashMap<OrgId, Arc<tokio::sync::Mutex<()>>>>,
    /// Places for those that come back.
    places: Semaphore,
    /// Objects that could not be had, and why.
    refused: Mutex<HashMap<OrgId, (Instant, String)>>,
}

impl Default for Cold {
    fn default() -> Self {
        Self { turns: Mutex::default(), places: Semaphore::new(AT_ONCE), refused: Mutex::default() }
    }
}

impl Cold {
    fn turn(&self, org: OrgId) -> Arc<tokio::sync::Mutex<()>> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        if turns.len() > 1024 {
            turns.retain(|_, turn| Arc::strong_count(turn) > 1);
        }
        turns.entry(org).or_default().clone()
    }

    /// Why an object could not be had a moment ago.
    fn refusal(&self, org: OrgId) -> Option<Error> {
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, what) = refused.get(&org)?;
        (at.elapsed() < BELIEVED).then(|| Error::Damaged { org: org.to_string(), what: what.clone() })
    }

    /// Notes that an object cannot be had; says whether that is news.
    fn refuse(&self, org: OrgId, what: &str) -> bool {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        refused.insert(org, (Instant::now(), what.to_owned())).is_none_or(|(_, before)| before != what)
    }

    fn forgive(&self, org: OrgId) {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).remove(&org);
    }
}

impl Store {
    fn files(&self) -> Result<&Files> {
        match &self.0.backend {
            Backend::Embedded { files, .. } => Ok(files),
            Backend::Postgres { .. } => Err(Error::bug("there are no files")),
        }
    }

    /// The objects that an organisation's file was made into.
    async fn cold_blobs(&self, org: OrgId) -> Result<Blobs> {
        if self.0.bucket.is_none() {
            return Err(Error::Damaged {
                org: String::new(),
                what: "its file lies in a bucket, and no bucket is set: set `s3_url`".into(),
            });
        }
        Ok(self.blobs(org).await?.of_files())
    }

    /// Keeps house in an organisation's store, which is no use of it: one that is cold is left asleep, and of another the file is unused for
    /// as long afterwards as before.
    /// # Errors
    /// When this process ends.
    pub async fn keep_house(&self, org: OrgId, work: impl Future<Output = ()> + Send) -> Result<()> {
        let Ok(files) = self.files() else {
            work.await;
            return Ok(());
        };
        if files.is_cold(org) {
            return Ok(());
        }
        let used_at = files.unused_since(org);
        work.await;
        let Some(used_at) = used_at else { return Ok(()) };
        let store = self.clone();
        blocking(move || {
            store.files()?.put_back(org, used_at);
            Ok(())
        })
        .await
    }

    /// What is wrong with the object of a cold organisation, without bringing it back: nothing, as far as its length says. None when the
    /// organisation is not cold.
    /// # Errors
    /// As the control database.
    pub async fn cold_faults(&self, org: OrgId) -> Result<Option<Vec<String>>> {
        let Ok(files) = self.files() else { return Ok(None) };
        if !files.is_cold(org) {
            return Ok(None);
        }
        let looked = async {
            let blobs = self.cold_blobs(org).await?;
            let stub = stub_of(&files.path(org));
            blocking(move || {
                let stub = Stub::read(&stub)?;
                let size = blobs.open(&stub.hash)?.size();
                Ok((size != stub.bytes).then(|| format!("its file in the bucket has {size} bytes, not {}", stub.bytes)))
            })
            .await
        };
        Ok(Some(match looked.await {
            Ok(fault) => fault.into_iter().collect(),
            Err(Error::NotFound(_)) => vec!["its file is not in the bucket".into()],
            Err(error) => vec![error.to_string()],
        }))
    }

    /// Takes away what moves that were cut off left behind: notes and objects of organisations whose files stand at their places.
    /// # Errors
    /// As the control database; what the bucket does not let go is tried again the next time.
    pub async fn settle_moves(&self) -> Result<()> {
        let Ok(files) = self.files() else { return Ok(()) };
        let mut after = None;
        loop {
            let page = frozen::list(&mut self.read_control().await?, after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.org_id);
            for org in page.iter().map(|one| one.org_id).filter(|org| files.stands(*org)) {
                let turn = self.0.cold.turn(org);
                let _turn = turn.lock().await;
                if let Err(error) = self.settle(org).await {
                    tracing::warn!(%org, %error, "what a move of an organisation's file left stays for now");
                }
            }
        }
    }

    /// Takes away objects, drafts and the note of an organisation whose file stands at its place. In the organisation's turn.
    async fn settle(&self, org: OrgId) -> Result<()> {
        if !self.files()?.stands(org) {
            return Ok(());
        }
        self.drop_drafts(org).await?;
        if self.0.bucket.is_some() {
            let blobs = self.cold_blobs(org).await?;
            blocking(move || blobs.remove_files(None)).await?;
        }
        let mut tx = self.begin_control(Turn::Free).await?;
        frozen::remove(&mut tx, org).await?;
        tx.commit().await
    }

    /// Takes away what a move that was cut off had written and not yet put into its place. In the organisation's turn.
    async fn drop_drafts(&self, org: OrgId) -> Result<()> {
        let store = self.clone();
        let failed = |path: &Path, error: std::io::Error| Error::Disk(format!("{}: {error}", path.display()));
        blocking(move || {
            let drafts = store.files()?.drafts(org);
            drafts.iter().try_for_each(|draft| remove(draft).map_err(|error| failed(draft, error)))
        })
        .await
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|error| Error::bug(error.to_string()))?
}
