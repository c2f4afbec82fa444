//! Originals: files that people brought, each sealed under its organisation's own key, named by what is in it.
//!
//! A blob is a file of sealed parts. Each part is bound to the organisation, the file, its place in it and whether it is the last, so
//! none can be left out, moved or taken from elsewhere. The name is keyed, so that nobody learns from it who has which file. The same
//! content is kept once for an organisation.
//!
//! They are on this disk, or in a bucket (`bucket.rs`). What comes in is sealed on this disk in either case, and goes up when it is whole.

mod bucket;
mod draft;
mod opened;
mod wire;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use domain::{Ambient, Id, OrgId};

pub(crate) use self::bucket::Bucket;
pub use self::bucket::BucketSettings;
use self::bucket::{Stored, is_note};
pub use self::draft::Draft;
pub use self::opened::Opened;
use crate::keys::Secret;
use crate::org::OrgStore;
use crate::{Error, Result, Store, hex};

/// Bytes of a part before it is sealed: the most that is kept in memory of a file on its way.
pub const PART: usize = 256 << 10;
/// After how long nobody writes to a draft any more: whoever brings a file writes a part of it now and then.
const ABANDONED: Duration = Duration::from_hours(1);
/// What the name of a blob ends with that an organisation's own file was made into.
const COLD: &str = ".cold";
/// What sealing adds to a part.
const SEAL: usize = 12 + 16;

/// The blobs of one organisation.
#[derive(Clone)]
pub struct Blobs {
    /// Where they are, when they are on this disk; where they come together, when they go into a bucket.
    folder: PathBuf,
    bucket: Option<Arc<Bucket>>,
    org: OrgId,
    key: Arc<Secret>,
    ambient: Ambient,
    /// Whether they are what the organisation's own file was made into, and no originals.
    of_files: bool,
}

impl std::fmt::Debug for Blobs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Blobs({})", self.org)
    }
}

/// A blob that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The SHA-256 of its content, in hexadecimal: its name.
    pub hash: String,
    /// Its size in bytes.
    pub size: u64,
}

/// Something that lies among an organisation's blobs.
#[derive(Debug)]
pub(crate) enum Lying {
    /// Under this name in its folder of the bucket.
    InBucket(String),
    OnDisk(PathBuf),
}

impl Lying {
    fn name(&self) -> &str {
        match self {
            Self::InBucket(name) => name,
            Self::OnDisk(path) => path.file_name().and_then(|name| name.to_str()).unwrap_or(""),
        }
    }
}

impl OrgStore {
    /// The organisation's originals.
    /// # Errors
    /// As the database, which has the key.
    pub async fn blobs(&self) -> Result<Blobs> {
        self.store().blobs(self.scope().org()).await
    }
}

impl Store {
    /// An organisation's originals.
    pub(crate) async fn blobs(&self, org: OrgId) -> Result<Blobs> {
        let key = Arc::new(self.org_key(org).await?);
        let (folder, bucket) = (self.blobs_of(org), self.0.bucket.clone());
        Ok(Blobs { folder, bucket, org, key, ambient: self.ambient().clone(), of_files: false })
    }

    /// The organisations that have originals on this disk, or in the bucket. Blocks.
    /// # Errors
    /// As the disk and the bucket.
    pub fn with_blobs(&self) -> Result<Vec<OrgId>> {
        let mut orgs = self.0.bucket.as_ref().map_or(Ok(Vec::new()), |bucket| bucket.orgs())?;
        for folder in entries(&self.0.blobs)? {
            for folder in entries(&folder)? {
                let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or("");
                orgs.extend(uuid::Uuid::try_parse(name).ok().map(OrgId::from_uuid));
            }
        }
        orgs.sort_unstable();
        orgs.dedup();
        Ok(orgs)
    }

    /// Where an organisation's originals are.
    pub(crate) fn blobs_of(&self, org: OrgId) -> PathBuf {
        let hex = org.uuid().simple().to_string();
        self.0.blobs.join(&hex[30..]).join(hex)
    }

    /// Removes all originals of an organisation that is being erased, whose key is destroyed already. Blocks.
    pub(crate) fn remove_blobs(&self, org: OrgId) -> Result<()> {
        if let Some(bucket) = &self.0.bucket {
            bucket.remove_all(org)?;
        }
        match std::fs::remove_dir_all(self.blobs_of(org)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(failed("removed", &error)),
            _ => Ok(()),
        }
    }

    /// How many originals of an organisation are still there. Blocks.
    pub(crate) fn blobs_left(&self, org: OrgId) -> Result<usize> {
        let stored = self.0.bucket.as_ref().map_or(Ok(Vec::new()), |bucket| bucket.list(org))?;
        Ok(stored.len() + entries(&self.blobs_of(org))?.len())
    }
}

impl Blobs {
    /// Reads a blob whole: at most `most` bytes of it. Blocks.
    /// # Errors
    /// [`Error::NotFound`] when there is none; [`Error::Sealed`] when it was changed; [`Error::Refused`] when it is larger.
    pub fn read(&self, hash: &str, most: u64) -> Result<Vec<u8>> {
        let mut content = Vec::new();
        self.each_part(hash, |part| {
            if (content.len() + part.len()) as u64 > most {
                return Err(Error::Refused(format!("the file is larger than {most} bytes")));
            }
            content.extend_from_slice(part);
            Ok(())
        })?;
        Ok(content)
    }

    /// Gives a blob part by part. What was given is known to be what was written only when this returns. Blocks.
    /// # Errors
    /// [`Error::NotFound`] when there is none; [`Error::Sealed`] when it was changed; what `take` says.
    pub fn each_part(&self, hash: &str, take: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        self.open(hash)?.each(take)
    }

    /// Whether there is such a blob. Blocks.
    /// # Errors
    /// As the bucket, when that is asked.
    pub fn has(&self, hash: &str) -> Result<bool> {
        let Some(bucket) = &self.bucket else { return Ok(self.path(hash).exists()) };
        match bucket.head(&bucket.key(self.org, &self.name(hash))) {
            Ok(_) => Ok(true),
            Err(Error::NotFound(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Removes a blob; none is as well. Blocks.
    /// # Errors
    /// As the disk.
    pub fn remove(&self, hash: &str) -> Result<()> {
        if let Some(bucket) = &self.bucket {
            bucket.remove(self.org, &self.name(hash))?;
        }
        remove_file(&self.path(hash))
    }

    /// All that lies there under a name that a blob may have. What is still on its way in is left alone, and what was given up on its way
    /// is taken away: nothing can need that. Blocks.
    pub(crate) fn lying(&self) -> Result<Vec<Lying>> {
        let mut lying = Vec::new();
        if let Some(bucket) = &self.bucket {
            for stored in bucket.list(self.org)?.into_iter().filter(|stored| !self.is_going_up(stored)) {
                if is_note(&stored.name) {
                    bucket.remove(self.org, &stored.name)?;
                } else {
                    lying.push(Lying::InBucket(stored.name));
                }
            }
        }
        for path in entries(&self.folder)?.into_iter().filter(|path| !self.is_coming(path)) {
            if is_draft(&path) {
                remove_file(&path)?;
            } else {
                lying.push(Lying::OnDisk(path));
            }
        }
        Ok(lying)
    }

    /// Those of them that none of the hashes names.
    pub(crate) fn unneeded(&self, lying: Vec<Lying>, needed: &[String]) -> Vec<Lying> {
        let needed: HashSet<String> = needed.iter().map(|hash| self.name(hash)).collect();
        lying.into_iter().filter(|one| !needed.contains(one.name())).collect()
    }

    /// Removes one of them; one that is gone is as well. Blocks.
    ///
    /// Call it while nobody else writes to the organisation's store; whoever is about to need a blob looks for it once more in a turn
    /// of their own.
    pub(crate) fn remove_lying(&self, one: &Lying) -> Result<()> {
        match (one, &self.bucket) {
            (Lying::InBucket(name), Some(bucket)) => bucket.remove(self.org, name),
            (Lying::InBucket(_), None) => Ok(()),
            (Lying::OnDisk(path), _) => remove_file(path),
        }
    }

    /// How many of the blobs that are named are missing, and how many others are there. Blocks.
    /// # Errors
    /// As the disk.
    pub(crate) fn compare(&self, hashes: &[String]) -> Result<(usize, usize)> {
        if let Some(bucket) = &self.bucket {
            let mut needed: HashSet<String> = hashes.iter().map(|hash| self.name(hash)).collect();
            let there = bucket.list(self.org)?;
            let extra = there.iter().filter(|stored| !needed.remove(&stored.name) && !self.is_going_up(stored)).count();
            let stale = entries(&self.folder)?.iter().filter(|path| is_draft(path) && !self.is_coming(path)).count();
            return Ok((needed.len(), extra + stale));
        }
        let mut needed: HashSet<PathBuf> = hashes.iter().map(|hash| self.path(hash)).collect();
        let there = entries(&self.folder)?;
        let extra = there.iter().filter(|path| !needed.remove(*path) && !self.is_coming(path)).count();
        Ok((needed.len(), extra))
    }

    /// Whether it is the note of an upload that began not long ago, or what the organisation's file was made into: that is taken away by
    /// who moves files.
    fn is_going_up(&self, stored: &Stored) -> bool {
        let age = self.ambient.now().micros().saturating_sub(stored.written);
        (is_note(&stored.name) || stored.name.ends_with(COLD))
            && i128::from(age) < i128::try_from(ABANDONED.as_micros()).unwrap_or(i128::MAX)
    }

    /// Whether a file is a blob on its way in: a draft that somebody wrote to not long ago.
    fn is_coming(&self, path: &Path) -> bool {
        let written = path.metadata().and_then(|about| about.modified()).ok();
        let written = written.and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
        let now = Duration::from_micros(u64::try_from(self.ambient.now().micros()).unwrap_or(0));
        is_draft(path) && written.is_none_or(|written| now.saturating_sub(written) < ABANDONED)
    }

    /// What a blob is called, in a folder as in a bucket.
    fn name(&self, hash: &str) -> String {
        if self.of_files {
            return format!("{}{COLD}", hex(&self.key.mac("cold file name", hash.as_bytes())));
        }
        hex(&self.key.mac("blob name", hash.as_bytes()))
    }

    /// The blobs that the organisation's own file was made into, beside its originals.
    pub(crate) fn of_files(self) -> Self {
        Self { of_files: true, ..self }
    }

    /// Removes what the organisation's own file was made into, in the bucket, but for one. Blocks.
    /// # Errors
    /// As the bucket.
    pub(crate) fn remove_files(&self, kept: Option<&str>) -> Result<()> {
        let Some(bucket) = &self.bucket else { return Ok(()) };
        let kept = kept.map(|hash| self.name(hash));
        for stored in bucket.list(self.org)? {
            if stored.name.contains(COLD) && Some(&stored.name) != kept.as_ref() {
                bucket.remove(self.org, &stored.name)?;
            }
        }
        Ok(())
    }

    /// The same folder as another organisation would read it, with its own key: to see that it cannot.
    pub(crate) fn under(&self, other: &Self) -> Self {
        Self { org: other.org, key: other.key.clone(), ..self.clone() }
    }

    fn path(&self, hash: &str) -> PathBuf {
        self.folder.join(self.name(hash))
    }
}

fn is_draft(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "draft")
}

/// Removes a file; none is as well.
fn remove_file(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(failed("removed", &error)),
        _ => Ok(()),
    }
}

/// What is in a folder; nothing when there is none.
fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if [std::io::ErrorKind::NotFound, std::io::ErrorKind::NotADirectory].contains(&error.kind()) => {
            return Ok(Vec::new());
        }
        Err(error) => return Err(failed("listed", &error)),
    };
    entries.map(|entry| entry.map(|entry| entry.path()).map_err(|error| failed("listed", &error))).collect()
}

fn place(org: OrgId, id: &[u8; 16], number: u64, last: bool) -> String {
    format!("{} | blob {} | {number} | {last}", org.uuid(), hex(id))
}

fn failed(what: &str, error: &std::io::Error) -> Error {
    if error.kind() == std::io::ErrorKind::StorageFull {
        return Error::Full;
    }
    Error::Disk(format!("an original could not be {what}: {error}"))
}
