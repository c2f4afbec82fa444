//! Originals: files that people brought, each sealed under its organisation's own key, named by what is in it.
//!
//! A blob is a file of sealed parts. Each part is bound to the organisation, the file, its place in it and whether it is the last, so
//! none can be left out, moved or taken from elsewhere. The name is keyed, so that nobody learns from it who has which file. The same
//! content is kept once for an organisation.

use std::fs::{File, OpenOptions};
use std::io::{BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::{Ambient, Id, OrgId};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::keys::{Secret, make_private_folder};
use crate::org::OrgStore;
use crate::{Error, Result, Store, hex};

/// Bytes of a part before it is sealed: the most that is kept in memory of a file on its way.
pub const PART: usize = 256 << 10;
/// After how long nobody writes to a draft any more: whoever brings a file writes a part of it now and then.
const ABANDONED: Duration = Duration::from_hours(1);
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
        self.store().blobs(self.scope().org()).await
    }
}

impl Store {
    /// An organisation's originals.
    pub(crate) async fn blobs(&self, org: OrgId) -> Result<Blobs> {
        let key = std::sync::Arc::new(self.org_key(org).await?);
        Ok(Blobs { folder: self.blobs_of(org), org, key, ambient: self.ambient().clone() })
    }

    /// The organisations that have originals on this disk. Blocks.
    /// # Errors
    /// As the disk.
    pub fn with_blobs(&self) -> Result<Vec<OrgId>> {
        let mut orgs = Vec::new();
        for folder in entries(&self.0.blobs)? {
            for folder in entries(&folder)? {
                let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or("");
                orgs.extend(uuid::Uuid::try_parse(name).ok().map(OrgId::from_uuid));
            }
        }
        Ok(orgs)
    }

    /// Where an organisation's originals are.
    pub(crate) fn blobs_of(&self, org: OrgId) -> PathBuf {
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

    /// Opens a blob to be read from any place in it, part by part. What is read was written in this file by this organisation; that it
    /// is the whole content of this name is not looked at. Blocks.
    /// # Errors
    /// [`Error::NotFound`] when there is none.
    pub fn open(&self, hash: &str) -> Result<Opened> {
        let mut file = match File::open(self.path(hash)) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(Error::NotFound("original")),
            Err(error) => return Err(failed("read", &error)),
        };
        let sealed = file.metadata().map_err(|error| failed("read", &error))?.len().saturating_sub(16);
        let mut id = [0; 16];
        file.read_exact(&mut id).map_err(|error| failed("read", &error))?;
        let parts = sealed.div_ceil((PART + SEAL) as u64);
        let size = sealed.saturating_sub(parts * SEAL as u64);
        Ok(Opened { blobs: self.clone(), file, id, sealed, size, at: 0, part: None })
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
        for path in entries(&self.folder)? {
            if !self.is_coming(&path) && !kept.contains(&path) {
                std::fs::remove_file(&path).map_err(|error| failed("removed", &error))?;
            }
        }
        Ok(())
    }

    /// How many of the blobs that are named are missing, and how many others are there. Blocks.
    /// # Errors
    /// As the disk.
    pub(crate) fn compare(&self, hashes: &[String]) -> Result<(usize, usize)> {
        let mut needed: std::collections::HashSet<PathBuf> = hashes.iter().map(|hash| self.path(hash)).collect();
        let there = entries(&self.folder)?;
        let extra = there.iter().filter(|path| !needed.remove(*path) && !self.is_coming(path)).count();
        Ok((needed.len(), extra))
    }

    /// Whether a file is a blob on its way in: a draft that somebody wrote to not long ago.
    fn is_coming(&self, path: &Path) -> bool {
        let written = path.metadata().and_then(|about| about.modified()).ok();
        let written = written.and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
        let now = Duration::from_micros(u64::try_from(self.ambient.now().micros()).unwrap_or(0));
        path.extension().is_some_and(|extension| extension == "draft")
            && written.is_none_or(|written| now.saturating_sub(written) < ABANDONED)
    }

    /// The same folder as another organisation would read it, with its own key: to see that it cannot.
    pub(crate) fn under(&self, other: &Self) -> Self {
        Self { org: other.org, key: other.key.clone(), ..self.clone() }
    }

    fn path(&self, hash: &str) -> PathBuf {
        self.folder.join(hex(&self.key.mac("blob name", hash.as_bytes())))
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

/// A blob that is read from any place in it. Holds one part of it in memory.
pub struct Opened {
    blobs: Blobs,
    file: File,
    id: [u8; 16],
    /// Bytes of all parts as they are on the disk.
    sealed: u64,
    size: u64,
    at: u64,
    part: Option<(u64, Zeroizing<Vec<u8>>)>,
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Opened({} bytes)", self.size)
    }
}

impl Opened {
    fn part(&mut self, number: u64) -> std::io::Result<&[u8]> {
        let whole = (PART + SEAL) as u64;
        if self.part.as_ref().is_none_or(|(held, _)| *held != number) {
            let begin = number * whole;
            let size = usize::try_from((self.sealed - begin).min(whole)).unwrap_or(PART + SEAL);
            let mut sealed = vec![0; size];
            self.file.seek(SeekFrom::Start(16 + begin))?;
            self.file.read_exact(&mut sealed)?;
            let place = place(self.blobs.org, &self.id, number, begin + size as u64 == self.sealed);
            let open = self.blobs.key.open(&place, &sealed).map_err(std::io::Error::other)?;
            self.part = Some((number, open));
        }
        Ok(self.part.as_ref().map_or(&[], |(_, part)| part.as_slice()))
    }
}

impl Read for Opened {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.at >= self.size || buffer.is_empty() {
            return Ok(0);
        }
        let (number, within) = (self.at / PART as u64, usize::try_from(self.at % PART as u64).unwrap_or(0));
        let part = self.part(number)?;
        let rest = part.get(within..).unwrap_or(&[]);
        let taken = rest.len().min(buffer.len());
        buffer[..taken].copy_from_slice(&rest[..taken]);
        self.at += taken as u64;
        Ok(taken)
    }
}

impl Seek for Opened {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.size.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or(std::io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
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
