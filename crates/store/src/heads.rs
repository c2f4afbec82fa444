//! Signed heads of the audit chains, in a file that no database and no data folder holds.
//!
//! A chain alone cannot show that its end was cut off, or that all of it was written anew. So every minute the last entry of each
//! chain that has grown is signed and appended to a file. What is to be signed was noted in memory when it was committed: no
//! organisation's file is opened for it, and nothing that was done to a database meanwhile gets signed.
//!
//! The signature is Ed25519 (RFC 8032) over `rowhouse audit head`, the chain, the place, the hash and the time, a line each, so that
//! whoever has a copy of the file and the public key can check it without Rowhouse. On several nodes each signs what it wrote
//! itself, in its own file.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::{OrgId, Time};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};

use crate::audit::{self, Head, Verified};
use crate::keys::{Secret, make_private_folder, sha256};
use crate::setup::{hex, unhex};
use crate::sql::Access;
use crate::{Error, Result, Store};

/// From this size on the file is put aside, and a new one begins with the last head of each chain; in bytes.
const FULL: u64 = 16 << 20;

/// An organisation's chain, or the installation's own.
pub(crate) type Chain = Option<OrgId>;

/// A line of the file.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Line {
    /// Whose chain; none for the installation's own.
    org: Chain,
    seq: i64,
    hash: String,
    at: Time,
    /// The name of the key that signed it. Installations that share a folder share the file, and each minds its own lines.
    key: String,
    signature: String,
}

impl Line {
    fn signed_text(&self) -> String {
        let chain = self.org.map_or_else(|| "house".to_owned(), |org| org.to_string());
        format!("rowhouse audit head\n{chain}\n{}\n{}\n{}\n", self.seq, self.hash, self.at)
    }

    fn sign(mut self, key: &SigningKey) -> Self {
        self.signature = STANDARD.encode(key.sign(self.signed_text().as_bytes()).to_bytes());
        self
    }

    /// The head, when the signature fits.
    fn head(&self, key: &VerifyingKey) -> Option<Head> {
        let signature = STANDARD.decode(&self.signature).ok()?;
        let signature = Signature::from_slice(&signature).ok()?;
        key.verify_strict(self.signed_text().as_bytes(), &signature).ok()?;
        Some(Head { seq: self.seq, hash: unhex(&self.hash).ok()? })
    }
}

/// What this process knows of the file.
pub(crate) struct Heads {
    path: PathBuf,
    key: SigningKey,
    /// The first bytes of the public key's SHA-256.
    name: String,
    /// The last entries since the last signing.
    grown: Mutex<HashMap<Chain, Head>>,
    /// One writer at a time.
    turn: tokio::sync::Mutex<()>,
    /// The size at which the file is put aside.
    full: AtomicU64,
}

impl Heads {
    pub(crate) fn new(path: PathBuf, house: &Secret) -> Self {
        let key = SigningKey::from_bytes(&house.derive("audit heads"));
        Self {
            path,
            name: hex(&sha256(key.verifying_key().as_bytes())[..8]),
            key,
            grown: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
            full: AtomicU64::new(FULL),
        }
    }

    /// Notes that an entry was committed at the end of a chain.
    pub(crate) fn grew(&self, chain: Chain, head: Option<Head>) {
        let Some(head) = head else { return };
        let mut grown = self.grown.lock().unwrap_or_else(PoisonError::into_inner);
        let known = grown.entry(chain).or_insert_with(|| head.clone());
        if known.seq < head.seq {
            *known = head;
        }
    }

    fn take(&self) -> HashMap<Chain, Head> {
        std::mem::take(&mut *self.grown.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The signed heads as the file had them when it was read. Read them before the chains: a chain may be ahead of them, never behind.
#[derive(Debug, Default)]
pub struct SignedHeads(HashMap<Chain, Vec<Line>>);

/// All lines of the file; none when there is no file.
fn lines(path: &Path) -> Result<Box<dyn Iterator<Item = Result<Line>>>> {
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Box::new(std::iter::empty())),
        Err(error) => return Err(failed(path, &error)),
    };
    let path = path.to_owned();
    let lines = BufReader::new(file).split(b'\n').map(move |line| line.map_err(|error| failed(&path, &error)));
    // A line that a crash cut short is none; the heads in it are signed again with the next entry.
    Ok(Box::new(lines.filter_map(|line| line.map(|line| serde_json::from_slice(&line).ok()).transpose())))
}

impl SignedHeads {
    fn read(path: &Path, key: &str, only: Option<Chain>) -> Result<Self> {
        let mut chains: HashMap<Chain, Vec<Line>> = HashMap::new();
        for line in lines(path)? {
            let line = line?;
            if line.key == key && only.is_none_or(|only| only == line.org) {
                chains.entry(line.org).or_default().push(line);
            }
        }
        Ok(Self(chains))
    }

    /// The heads of a chain, and what is wrong with one of them.
    fn of(&self, chain: Chain, key: &VerifyingKey) -> (Vec<Head>, Option<String>) {
        let mut fault = None;
        let mut heads = Vec::new();
        for line in self.0.get(&chain).into_iter().flatten() {
            match line.head(key) {
                Some(head) => heads.push(head),
                None => fault = Some(format!("the signature of the head at entry {} does not fit", line.seq)),
            }
        }
        (heads, fault)
    }
}

fn failed(path: &Path, error: &std::io::Error) -> Error {
    if error.kind() == std::io::ErrorKind::StorageFull {
        return Error::Full;
    }
    Error::Unavailable(format!("the file of signed audit heads {}: {error}", path.display()))
}

/// Appends lines, durably. A last line that a crash cut short is ended first.
fn append(path: &Path, lines: &[Line]) -> std::io::Result<u64> {
    use std::os::unix::fs::OpenOptionsExt;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    make_private_folder(folder)?;
    let fresh = !path.exists();
    let mut file = std::fs::OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)?;
    let mut text = Vec::new();
    if file.seek(SeekFrom::End(0))? > 0 {
        let mut last = [0];
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
        if last != *b"\n" {
            text.push(b'\n');
        }
    }
    for line in lines {
        serde_json::to_writer(&mut text, line)?;
        text.push(b'\n');
    }
    file.write_all(&text)?;
    file.sync_all()?;
    if fresh {
        std::fs::File::open(folder)?.sync_all()?;
    }
    Ok(file.metadata()?.len())
}

/// Puts the file aside under a name with the time, and begins a new one with the last head of each chain. The old file is never
/// changed again: it can go to a place where nothing can be changed.
fn put_aside(path: &Path, now: Time) -> Result<u64> {
    let mut last: HashMap<(Chain, String), Line> = HashMap::new();
    for line in lines(path)? {
        let line = line?;
        last.insert((line.org, line.key.clone()), line);
    }
    let mut text = Vec::new();
    for line in last.values() {
        serde_json::to_writer(&mut text, line).map_err(|error| Error::bug(error.to_string()))?;
        text.push(b'\n');
    }
    let aside = path.with_extension(format!("until-{}.jsonl", now.seconds()));
    // The name is added before the new file takes the place, so that at no moment there is none.
    std::fs::hard_link(path, aside).map_err(|error| failed(path, &error))?;
    crate::keys::write_private(path, &text)?;
    Ok(text.len() as u64)
}

impl Store {
    /// Signs the last entry of each chain that this process has added to since the last time, and says how many there were.
    /// # Errors
    /// As the disk; what could not be written is tried again the next time.
    pub async fn sign_heads(&self) -> Result<usize> {
        let heads = &self.0.heads;
        let _turn = heads.turn.lock().await;
        let grown = heads.take();
        if grown.is_empty() {
            return Ok(0);
        }
        let at = self.ambient().now();
        let line = |(org, head): (&Chain, &Head)| Line {
            org: *org,
            seq: head.seq,
            hash: hex(&head.hash),
            at,
            key: heads.name.clone(),
            signature: String::new(),
        };
        let lines: Vec<Line> = grown.iter().map(line).map(|line| line.sign(&heads.key)).collect();
        let path = heads.path.clone();
        let full = heads.full.load(Ordering::Relaxed);
        let written = tokio::task::spawn_blocking(move || {
            let size = append(&path, &lines).map_err(|error| failed(&path, &error))?;
            if size < full {
                return Ok(full);
            }
            let left = put_aside(&path, at).unwrap_or_else(|error| {
                // The lines are written. On a disk that only takes more this never works, and need not.
                tracing::warn!(%error, "the file of signed audit heads grows on");
                size
            });
            // So that an installation whose last heads alone fill the file does not rewrite it each minute.
            Ok(FULL.max(4 * left))
        });
        match written.await.map_err(|error| Error::bug(error.to_string())).flatten() {
            Ok(full) => heads.full.store(full, Ordering::Relaxed),
            Err(error) => {
                let count = grown.len();
                for (chain, head) in grown {
                    heads.grew(chain, Some(head));
                }
                tracing::error!(alarm = "audit_heads", count, %error, "the heads of audit chains could not be signed");
                return Err(error);
            }
        }
        Ok(grown.len())
    }

    /// Signs a text that names in its first line what it is; never one that a stranger can choose.
    pub(crate) fn sign(&self, text: &[u8]) -> [u8; 64] {
        self.0.heads.key.sign(text).to_bytes()
    }

    /// Whether [`Store::sign`] made the signature of the text.
    pub(crate) fn is_signed(&self, text: &[u8], signature: &[u8]) -> bool {
        let signature = Signature::from_slice(signature).ok();
        signature.is_some_and(|signature| self.0.heads.key.verifying_key().verify_strict(text, &signature).is_ok())
    }

    /// The key with which the signatures of heads can be checked: 32 bytes in base64.
    #[must_use]
    pub fn heads_public_key(&self) -> String {
        STANDARD.encode(self.0.heads.key.verifying_key().as_bytes())
    }

    /// Reads all signed heads, for verifying many chains.
    /// # Errors
    /// As the disk.
    pub async fn signed_heads(&self) -> Result<SignedHeads> {
        self.read_heads(None).await
    }

    async fn read_heads(&self, only: Option<Chain>) -> Result<SignedHeads> {
        let (path, key) = (self.0.heads.path.clone(), self.0.heads.name.clone());
        tokio::task::spawn_blocking(move || SignedHeads::read(&path, &key, only))
            .await
            .map_err(|error| Error::bug(error.to_string()))?
    }

    /// Verifies the whole audit chain of an organisation, with all heads that were signed of it. Tells nothing of its content.
    /// # Errors
    /// As the database; what is wrong with the chain is no error but the outcome's fault.
    pub async fn verify_org(&self, org: OrgId) -> Result<Verified> {
        let signed = self.read_heads(Some(Some(org))).await?;
        self.verify_org_with(org, &signed).await
    }

    /// As [`Store::verify_org`], with heads that were read before.
    /// # Errors
    /// As the database.
    pub async fn verify_org_with(&self, org: OrgId, signed: &SignedHeads) -> Result<Verified> {
        let (heads, fault) = signed.of(Some(org), &self.0.heads.key.verifying_key());
        let mut tx = self.tenant(org, Access::Read).await?;
        let verified = audit::verify(&mut tx, &heads).await?;
        Ok(judged(Some(org), verified, fault))
    }

    /// Verifies the installation's own audit chain, with all heads that were signed of it.
    /// # Errors
    /// As the database; what is wrong with the chain is no error but the outcome's fault.
    pub async fn verify_house(&self) -> Result<Verified> {
        let (heads, fault) = self.read_heads(Some(None)).await?.of(None, &self.0.heads.key.verifying_key());
        let mut tx = self.read_control().await?;
        let verified = audit::verify(tx.transaction(), &heads).await?;
        Ok(judged(None, verified, fault))
    }
}

fn judged(chain: Chain, mut verified: Verified, fault: Option<String>) -> Verified {
    verified.fault = verified.fault.or(fault);
    if let Some(fault) = &verified.fault {
        let org = chain.map(|org| org.to_string());
        tracing::error!(alarm = "audit_chain", org, fault, "an audit chain is not whole");
    }
    verified
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::Event;
    use crate::sql::sqlite::translate;
    use crate::{Actor, Origin, Place, Settings, Turn};

    async fn store(folder: &Path) -> Store {
        let settings = Settings {
            place: Place::Embedded { data: folder.join("data"), open_files: 4, cache_kib: 256 },
            master_key_file: folder.join("keys/master.key"),
            audit_heads: folder.join("keys/audit-heads.jsonl"),
            blobs: folder.join("data/blobs"),
            bucket: None,
            issuer: "http://test".into(),
        };
        Store::start(&settings, domain::Ambient::system()).await.expect("starts")
    }

    async fn note(store: &Store, count: usize) {
        let mut tx = store.begin_control(Turn::Free).await.expect("begins");
        for n in 0..count {
            let event = Event::new("test.noted", n);
            tx.record_house(&Actor::System, &Origin::default(), event).await.expect("recorded");
        }
        tx.commit().await.expect("committed");
    }

    /// What somebody can do who has the key of the file and goes past the store.
    fn change(store: &Store, text: &'static str) {
        let crate::Backend::Embedded { control, .. } = &store.0.backend else { panic!("an embedded store") };
        tokio::task::block_in_place(|| {
            control.exclusively(|connection| connection.execute_batch(text).map_err(|error| translate(&error)))
        })
        .expect("run");
    }

    async fn fault(store: &Store) -> String {
        store.verify_house().await.expect("walked").fault.unwrap_or_default()
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn who_writes_to_the_file_past_the_store_is_found() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = store(folder.path()).await;
        note(&store, 3).await;
        assert_eq!(store.sign_heads().await.expect("signed"), 1);
        assert_eq!(fault(&store).await, "");
        change(&store, "UPDATE audit SET action = 'other' WHERE seq = 2");
        assert_eq!(fault(&store).await, "entry 2 was changed");
        change(&store, "UPDATE audit SET action = 'test.noted' WHERE seq = 2");
        change(&store, "UPDATE audit SET seq = -2 WHERE seq = 2");
        assert_eq!(fault(&store).await, "entry 2 is missing");
        change(&store, "UPDATE audit SET seq = 2 WHERE seq = -2");
        change(&store, "DELETE FROM audit WHERE seq = 3");
        assert!(fault(&store).await.starts_with("the chain ends at 2, its head says 3"));
        change(&store, "UPDATE audit_head SET seq = 2, hash = (SELECT hash FROM audit WHERE seq = 2)");
        assert!(fault(&store).await.contains("the end was cut off"));
        note(&store, 1).await;
        store.sign_heads().await.expect("signed");
        assert_eq!(fault(&store).await, "entry 3 is not the one that was signed");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn a_full_file_is_put_aside_and_the_last_heads_go_on() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = store(folder.path()).await;
        for _ in 0..3 {
            note(&store, 1).await;
            store.sign_heads().await.expect("signed");
        }
        store.0.heads.full.store(1, Ordering::Relaxed);
        note(&store, 1).await;
        store.sign_heads().await.expect("signed");
        let files = || std::fs::read_dir(folder.path().join("keys")).expect("a folder").count();
        assert_eq!(files(), 3, "the master key, the file and the one put aside");
        let verified = store.verify_house().await.expect("walked");
        assert_eq!((verified.entries, verified.heads, verified.fault), (4, 1, None));
        note(&store, 1).await;
        store.sign_heads().await.expect("signed");
        assert_eq!(store.verify_house().await.expect("walked").heads, 2);
        change(&store, "DELETE FROM audit WHERE seq > 3");
        change(&store, "UPDATE audit_head SET seq = 3, hash = (SELECT hash FROM audit WHERE seq = 3)");
        assert!(fault(&store).await.contains("the end was cut off"));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn another_installation_in_the_same_folder_is_none_of_its_business() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = store(folder.path()).await;
        note(&first, 2).await;
        first.sign_heads().await.expect("signed");
        drop(first);
        std::fs::rename(folder.path().join("data"), folder.path().join("old data")).expect("moved");
        let second = store(folder.path()).await;
        note(&second, 1).await;
        second.sign_heads().await.expect("signed");
        let verified = second.verify_house().await.expect("walked");
        assert_eq!((verified.entries, verified.heads, verified.fault), (1, 1, None));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn what_could_not_be_written_is_written_the_next_time() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = store(folder.path()).await;
        note(&store, 1).await;
        let path = folder.path().join("keys/audit-heads.jsonl");
        std::fs::create_dir(&path).expect("made");
        assert!(store.sign_heads().await.is_err());
        std::fs::remove_dir(&path).expect("removed");
        assert_eq!(store.sign_heads().await.expect("signed"), 1);
        assert_eq!(store.sign_heads().await.expect("nothing to sign"), 0);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn the_file_is_not_among_the_data() {
        let folder = tempfile::tempdir().expect("a folder");
        let settings = Settings {
            place: Place::Embedded { data: folder.path().join("data"), open_files: 4, cache_kib: 256 },
            master_key_file: folder.path().join("keys/master.key"),
            audit_heads: folder.path().join("data/audit/heads.jsonl"),
            blobs: folder.path().join("data/blobs"),
            bucket: None,
            issuer: "http://test".into(),
        };
        let refused = Store::start(&settings, domain::Ambient::system()).await.expect_err("refused");
        assert!(refused.to_string().contains("must not be inside the data folder"), "{refused}");
    }
}
