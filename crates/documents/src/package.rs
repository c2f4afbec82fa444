//! Packed files (DOCX, XLSX, EPUB): parts are unpacked one at a time, and what they unpack to is counted as it comes, since what an
//! archive says of its own sizes may be a lie.

use std::io::{Cursor, Read};

use zip::ZipArchive;
use zip::result::ZipError;

use crate::{Limits, Unreadable, encoding};

/// Below this a part may unpack to any multiple of its packed size: short repetitive text is no bomb.
const RATIO_FREE: u64 = 4 << 20;

pub(crate) struct Package<'b> {
    archive: ZipArchive<Cursor<&'b [u8]>>,
    bytes: &'b [u8],
    left: u64,
    ratio: u64,
}

impl<'b> Package<'b> {
    pub(crate) fn open(bytes: &'b [u8], limits: &Limits) -> Result<Self, Unreadable> {
        let archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| failure(&error))?;
        if archive.len() > limits.entries {
            return Err(Unreadable::too_large(format!("The file packs more than {} parts.", limits.entries)));
        }
        Ok(Self { archive, bytes, left: limits.unpacked, ratio: limits.ratio })
    }

    pub(crate) fn bytes(&self) -> &'b [u8] {
        self.bytes
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.archive.index_for_name(name).is_some()
    }

    /// A part as text; XML and HTML say their encoding themselves.
    pub(crate) fn text(&mut self, name: &str) -> Result<String, Unreadable> {
        encoding::decode(&self.part(name)?, None)
    }

    /// A part's bytes.
    pub(crate) fn part(&mut self, name: &str) -> Result<Vec<u8>, Unreadable> {
        let index = self.archive.index_for_name(name).ok_or_else(Unreadable::damaged)?;
        let mut bytes = vec![];
        self.unpack(index, Some(&mut bytes))?;
        Ok(bytes)
    }

    /// Unpacks everything once, keeping nothing, for a parser that unpacks without counting.
    ///
    /// # Errors
    /// As soon as a bound is passed.
    pub(crate) fn measure(&mut self) -> Result<(), Unreadable> {
        (0..self.archive.len()).try_for_each(|index| self.unpack(index, None))
    }

    fn unpack(&mut self, index: usize, mut into: Option<&mut Vec<u8>>) -> Result<(), Unreadable> {
        let mut part = self.archive.by_index(index).map_err(|error| failure(&error))?;
        let most = part.compressed_size().saturating_mul(self.ratio).max(RATIO_FREE).min(self.left);
        let mut buffer = [0; 16 << 10];
        let mut unpacked = 0;
        loop {
            match part.read(&mut buffer).map_err(|_| Unreadable::damaged())? {
                0 => break,
                read => {
                    unpacked += read as u64;
                    if unpacked > most {
                        return Err(Unreadable::too_large(
                            "The file unpacks to far more than its size; it is refused as a possible zip bomb.",
                        ));
                    }
                    if let Some(into) = &mut into {
                        into.extend_from_slice(&buffer[..read]);
                    }
                }
            }
        }
        self.left -= unpacked;
        Ok(())
    }
}

fn failure(error: &ZipError) -> Unreadable {
    match error {
        ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) => Unreadable::encrypted(),
        _ => Unreadable::damaged(),
    }
}
