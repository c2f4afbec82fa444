//! A blob that is read: part by part, from any place in it.

use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::{Blobs, Bucket, PART, SEAL, failed, place};
use crate::{Error, Result, hex};

/// Bytes of a part as it is kept.
const WHOLE: u64 = (PART + SEAL) as u64;
/// How many parts are fetched at once from a bucket by who reads one after the other: 4 MiB.
const AHEAD: u64 = 16;

/// A blob that is read from any place in it. Holds one part of it in memory.
pub struct Opened {
    blobs: Blobs,
    source: Source,
    hash: String,
    id: [u8; 16],
    /// Bytes of all parts as they are kept.
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

impl Blobs {
    /// Opens a blob to be read from any place in it, part by part. What is read was written in this file by this organisation; that it
    /// is the whole content of this name only [`Opened::check`] knows. Blocks.
    /// # Errors
    /// [`Error::NotFound`] when there is none; [`Error::Sealed`] when it was cut to nothing.
    pub fn open(&self, hash: &str) -> Result<Opened> {
        let (mut source, length) = match &self.bucket {
            Some(bucket) => Window::open(bucket.clone(), bucket.key(self.org, &self.name(hash)))?,
            None => match File::open(self.path(hash)).and_then(|file| Ok((file.metadata()?.len(), file))) {
                Ok((length, file)) => (Source::File(file), length),
                Err(error) if error.kind() == ErrorKind::NotFound => return Err(Error::NotFound("original")),
                Err(error) => return Err(failed("read", &error)),
            },
        };
        let id = source.read(0, 16)?.try_into().map_err(|_| Error::Sealed("a file that was cut"))?;
        let sealed = length - 16;
        let parts = sealed.div_ceil(WHOLE);
        let size = sealed.saturating_sub(parts * SEAL as u64);
        Ok(Opened { blobs: self.clone(), source, hash: hash.to_owned(), id, sealed, size, at: 0, part: None })
    }
}

impl Opened {
    /// How many bytes it has, as far as is known before it is checked.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Reads all parts that these bytes stand in once, so that nothing is amiss when they are read again. Of a whole blob it is looked
    /// at, too, whether it is the content of its name. Blocks.
    /// # Errors
    /// [`Error::Sealed`] when it was changed.
    pub fn check(&mut self, bytes: &Range<u64>) -> Result<()> {
        if bytes.start == 0 && bytes.end >= self.size {
            return self.each(|_| Ok(()));
        }
        for number in bytes.start / PART as u64..bytes.end.div_ceil(PART as u64) {
            self.part(number)?;
        }
        Ok(())
    }

    /// Gives it part by part.
    pub(super) fn each(&mut self, mut take: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let mut digest = Sha256::new();
        for number in 0..self.sealed.div_ceil(WHOLE).max(1) {
            let part = self.part(number)?;
            digest.update(part);
            take(part)?;
        }
        if hex(&digest.finalize()) == self.hash { Ok(()) } else { Err(Error::Sealed("another file's content")) }
    }

    fn part(&mut self, number: u64) -> Result<&[u8]> {
        if self.part.as_ref().is_none_or(|(held, _)| *held != number) {
            let begin = number * WHOLE;
            let size = usize::try_from((self.sealed - begin).min(WHOLE)).unwrap_or(PART + SEAL);
            let sealed = self.source.read(16 + begin, size)?;
            let place = place(self.blobs.org, &self.id, number, begin + size as u64 == self.sealed);
            let open = self.blobs.key.open(&place, &sealed)?;
            self.part = Some((number, open));
        }
        Ok(self.part.as_ref().map_or(&[], |(_, part)| part.as_slice()))
    }
}

/// Where sealed bytes come from.
enum Source {
    File(File),
    Bucket(Window),
}

impl Source {
    /// Exactly so many bytes.
    fn read(&mut self, at: u64, size: usize) -> Result<Vec<u8>> {
        match self {
            Self::File(file) => {
                let mut bytes = vec![0; size];
                file.seek(SeekFrom::Start(at)).map_err(|error| failed("read", &error))?;
                file.read_exact(&mut bytes).map_err(|error| cut(&error))?;
                Ok(bytes)
            }
            Self::Bucket(window) => window.read(at, size),
        }
    }
}

/// A part of one writing of a blob in a bucket.
struct Window {
    bucket: Arc<Bucket>,
    key: object_store::path::Path,
    tag: Option<String>,
    length: u64,
    begins: u64,
    bytes: Bytes,
}

impl Window {
    fn open(bucket: Arc<Bucket>, key: object_store::path::Path) -> Result<(Source, u64)> {
        let (length, tag) = bucket.head(&key)?;
        let window = Self { bucket, key, tag, length, begins: 0, bytes: Bytes::new() };
        Ok((Source::Bucket(window), length))
    }

    fn read(&mut self, at: u64, size: usize) -> Result<Vec<u8>> {
        let ends = self.begins + self.bytes.len() as u64;
        let until = at + size as u64;
        if until > self.length {
            return Err(Error::Sealed("a file that was cut"));
        }
        if at < self.begins || until > ends {
            // Who goes on where they were is likely to read on, and gets more at once.
            let most = if at == ends { AHEAD * WHOLE } else { 0 };
            let until = until.max(self.length.min(at + most));
            self.bytes = self.bucket.range(&self.key, at..until, self.tag.clone())?;
            self.begins = at;
        }
        let from = usize::try_from(at - self.begins).unwrap_or(usize::MAX);
        let found = self.bytes.get(from..from.saturating_add(size));
        found.map(<[u8]>::to_vec).ok_or(Error::Sealed("a file that was cut"))
    }
}

/// A file that ends too early was changed like any other.
fn cut(error: &std::io::Error) -> Error {
    if error.kind() == ErrorKind::UnexpectedEof { Error::Sealed("a file that was cut") } else { failed("read", error) }
}

impl Read for Opened {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.at >= self.size || buffer.is_empty() {
            return Ok(0);
        }
        let (number, within) = (self.at / PART as u64, usize::try_from(self.at % PART as u64).unwrap_or(0));
        let part = self.part(number).map_err(std::io::Error::other)?;
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
