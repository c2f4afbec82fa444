//! Originals: files that people brought, each sealed under its organisation's own key, named by what is in it.
//!
//! A blob is a file of sealed parts. Each part is bound to the organisation, the file, its place in it and whether it is the last, so
//! none can be left out, moved or taken from elsewhere. The name is keyed, so that nobody learns from it who has which file. The same
//! content is kept once for an organisation.

use std::fs::{File, OpenOptions};
use std::io::{BufReader, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use domain::{Ambient, Id, OrgId};
use sha2::{Digest, Sha256};

use crate::keys::{Secret, make_private_folder};
use crate::org::OrgStore;
use crate::{Error, Result, Store, hex};

/// Bytes of a part before it is sealed: the most that is kept in memory of a file on its way.
pub const PART: usize = 256 << 10;
/// What sealing adds to a part.
const SEAL: usize = 12 + 16;

/// The blobs of one organisation.
#[derive(Clone)]
pub struct Blobs {
    folder: PathBuf,
    org: OrgId,
    key: std::sync::Arc<Secret>,
    ambient: Ambient,
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

/// A blob on its way in. Dropped before [`Draft::finish`] it leaves nothing.
pub struct Draft {
    blobs: Blobs,
    id: [u8; 16],
    path: PathBuf,
    file: File,
    buffer: Vec<u8>,
    digest: Sha256,
    parts: u64,
    size: u64,
    kept: bool,
}

impl std::fmt::Debug for Draft {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Draft({} bytes)", self.size)
    }
}

impl OrgStore {
    /// The organisation's originals.
    /// # Errors
    /// As the database, which has the key.
    pub async fn blobs(&self) -> Result<Blobs> {
        let (store, org) = (self.store(), self.scope().org());
        let key = std::sync::Arc::new(store.org_key(org).await?);
        Ok(Blobs { folder: store.blobs_of(org), org, key, ambient: store.ambient().clone() })
    }
}

impl Store {
    /// Where an organisation's originals are.
    fn blobs_of(&self, org: OrgId) -> PathBuf {
        let hex = org.uuid().simple().to_string();
        self.0.blobs.join(&hex[30..]).join(hex)
    }

    /// Removes all originals of an organisation that is being erased, whose key is destroyed already. Blocks.
    pub(crate) fn remove_blobs(&self, org: OrgId) -> Result<()> {
        match std::fs::remove_dir_all(self.blobs_of(org)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(failed("removed", &error)),
            _ => Ok(()),
        }
    }
}

impl Blobs {
    /// Begins a blob. Blocks.
    /// # Errors
    /// As the disk.
    pub fn draft(&self) -> Result<Draft> {
        let id: [u8; 16] = self.ambient.bytes();
        make_private_folder(&self.folder).map_err(|error| failed("written", &error))?;
        let path = self.folder.join(format!("{}.draft", hex(&id)));
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .map_err(|error| failed("written", &error))?;
        file.write_all(&id).map_err(|error| failed("written", &error))?;
        Ok(Draft {
            blobs: self.clone(),
            id,
            path,
            file,
            buffer: Vec::with_capacity(PART),
            digest: Sha256::new(),
            parts: 0,
            size: 0,
            kept: false,
        })
    }

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
    pub fn each_part(&self, hash: &str, mut take: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let file = match File::open(self.path(hash)) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(Error::NotFound("original")),
            Err(error) => return Err(failed("read", &error)),
        };
        let length = file.metadata().map_err(|error| failed("read", &error))?.len();
        let mut file = BufReader::with_capacity(PART + SEAL, file);
        let mut id = [0; 16];
        file.read_exact(&mut id).map_err(|error| failed("read", &error))?;
        let mut left = length - 16;
        let mut digest = Sha256::new();
        let mut sealed = Vec::with_capacity(PART + SEAL);
        for number in 0.. {
            let size = usize::try_from(left).unwrap_or(usize::MAX).min(PART + SEAL);
            left -= size as u64;
            sealed.resize(size, 0);
            file.read_exact(&mut sealed).map_err(|error| failed("read", &error))?;
            let part = self.key.open(&place(self.org, &id, number, left == 0), &sealed)?;
            digest.update(&part);
            take(&part)?;
            if left == 0 {
                break;
            }
        }
        if hex(&digest.finalize()) == hash { Ok(()) } else { Err(Error::Sealed("another file's content")) }
    }

    /// Whether there is such a blob. Blocks.
    #[must_use]
    pub fn has(&self, hash: &str) -> bool {
        self.path(hash).exists()
    }

    /// Removes a blob; none is as well. Blocks.
    /// # Errors
    /// As the disk.
    pub fn remove(&self, hash: &str) -> Result<()> {
        match std::fs::remove_file(self.path(hash)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(failed("removed", &error)),
            _ => Ok(()),
        }
    }

    /// Removes all blobs but those that are named: after much was deleted. Blocks.
    ///
    /// Call it while nobody else writes to the organisation's store; whoever is about to need a blob looks for it once more in a turn
    /// of their own.
    /// # Errors
    /// As the disk.
    pub fn keep_only(&self, hashes: &[String]) -> Result<()> {
        let kept: std::collections::HashSet<PathBuf> = hashes.iter().map(|hash| self.path(hash)).collect();
        let entries = match std::fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(failed("listed", &error)),
        };
        for entry in entries {
            let path = entry.map_err(|error| failed("listed", &error))?.path();
            let is_draft = path.extension().is_some_and(|extension| extension == "draft");
            if !is_draft && !kept.contains(&path) {
                std::fs::remove_file(&path).map_err(|error| failed("removed", &error))?;
            }
        }
        Ok(())
    }

    fn path(&self, hash: &str) -> PathBuf {
        self.folder.join(hex(&self.key.mac("blob name", hash.as_bytes())))
    }
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

impl Draft {
    /// Adds bytes. Blocks.
    /// # Errors
    /// As the disk.
    pub fn write(&mut self, mut bytes: &[u8]) -> Result<()> {
        self.digest.update(bytes);
        self.size += bytes.len() as u64;
        while !bytes.is_empty() {
            // A part is written when more comes: only then it is known not to be the last.
            if self.buffer.len() == PART {
                self.seal(false)?;
            }
            let room = PART - self.buffer.len();
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.buffer.extend_from_slice(now);
            bytes = later;
        }
        Ok(())
    }

    /// How many bytes it has.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    fn seal(&mut self, last: bool) -> Result<()> {
        let Blobs { key, ambient, org, .. } = &self.blobs;
        let sealed = key.seal(ambient, &place(*org, &self.id, self.parts, last), &self.buffer);
        self.buffer.clear();
        self.parts += 1;
        self.file.write_all(&sealed).map_err(|error| failed("written", &error))
    }

    /// Makes it durable under its name. Blocks.
    /// # Errors
    /// As the disk.
    pub fn finish(mut self) -> Result<Written> {
        self.seal(true)?;
        let hash = hex(&self.digest.clone().finalize());
        let keep = || -> std::io::Result<()> {
            self.file.sync_all()?;
            std::fs::rename(&self.path, self.blobs.path(&hash))?;
            File::open(&self.blobs.folder)?.sync_all()?;
            sync_parent(&self.blobs.folder)
        };
        keep().map_err(|error| failed("written", &error))?;
        self.kept = true;
        Ok(Written { hash, size: self.size })
    }
}

fn sync_parent(folder: &Path) -> std::io::Result<()> {
    folder.parent().map_or(Ok(()), |parent| File::open(parent)?.sync_all())
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.kept {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}
