//! A blob on its way in: sealed part by part as it comes, and given its name when it is whole and durable.

use std::fs::{File, OpenOptions};
use std::io::{Seek as _, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::{Blobs, PART, Written, failed, place};
use crate::keys::make_private_folder;
use crate::{Result, hex};

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

impl Blobs {
    /// Begins a blob. Blocks.
    /// # Errors
    /// As the disk.
    pub fn draft(&self) -> Result<Draft> {
        let id: [u8; 16] = self.ambient.bytes();
        make_private_folder(&self.folder).map_err(|error| failed("written", &error))?;
        let path = self.folder.join(format!("{}.draft", hex(&id)));
        let mut file = OpenOptions::new()
            .read(true)
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
    /// As the disk, and the bucket when there is one.
    pub fn finish(mut self) -> Result<Written> {
        self.seal(true)?;
        let hash = hex(&self.digest.clone().finalize());
        if let Some(bucket) = self.blobs.bucket.clone() {
            let length = self.file.stream_position().and_then(|length| self.file.rewind().map(|()| length));
            let length = length.map_err(|error| failed("read", &error))?;
            bucket.put(self.blobs.org, &self.blobs.name(&hash), &hex(&self.id), &mut self.file, length)?;
            return Ok(Written { hash, size: self.size });
        }
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
