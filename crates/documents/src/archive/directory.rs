//! Opens zips whose directory is not too large.
//!
//! The directory of a zip stands at its end, and the parser takes all of it into memory before anybody can ask how many entries it has: in
//! an archive of nothing but headers that is six times its size. So the records behind the directory are asked first what they say of it;
//! and as they may lie, the parser is given no more bytes than a directory may have until it has opened the archive.
//!
//! The numbers are those of PKWARE's APPNOTE.TXT (<https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT>): 4.3.12 has the headers
//! that a directory is made of, 4.3.14 the record behind it in zip64, 4.3.15 the locator of that record, 4.3.16 the record behind it all.
//! All numbers begin with their lowest byte (4.4.1.1).

use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use zip::ZipArchive;

use super::{failure, too_many};
use crate::Unreadable;

/// Bytes of a directory: 1 KiB for each of 10,000 entries. A header has 46 bytes, its name, and some extra fields; with the deep folders of
/// an export of Notion, whose names have ids and stand there twice, it comes to about half of that. In memory this is some 150 MiB at the
/// worst (extra fields of four bytes, of which the parser makes forty).
const DIRECTORY: u64 = 10 << 20;
/// Bytes that are read to open an archive: the directory, and what the parser reads to find it, which is the end below some times over.
const RATION: u64 = DIRECTORY + (1 << 20);
/// What is left of the ration of a reader that has none.
const UNBOUNDED: u64 = u64::MAX;
/// Bytes at the end of a file in which the last record stands: it has 22, and a comment of at most 65,535 (4.3.16). The parser looks some
/// bytes further.
const TAIL: u64 = (64 << 10) + 64;

/// How the records begin.
const HEADER: &[u8] = b"PK\x01\x02";
const ZIP64_END: &[u8] = b"PK\x06\x06";
const ZIP64_LOCATOR: &[u8] = b"PK\x06\x07";
const END: &[u8] = b"PK\x05\x06";
/// Bytes that they have at the least.
const HEADER_LENGTH: u64 = 46;
const ZIP64_END_LENGTH: usize = 56;
const ZIP64_LOCATOR_LENGTH: usize = 20;
const END_LENGTH: usize = 22;
/// Bytes of the zip64 record that its own size leaves out: what it begins with, and that size (4.3.14.1).
const ZIP64_END_UNCOUNTED: u64 = 12;

/// Opens an archive that may have `left` entries, of all those that are allowed.
///
/// # Errors
/// [`crate::Code::TooLarge`] when it says of itself that it has more, or when its directory is too large; else as the parser finds it.
pub(super) fn open<R: Read + Seek>(
    mut reader: R,
    left: usize,
    all: usize,
) -> Result<ZipArchive<Rationed<R>>, Unreadable> {
    Ending { reader: &mut reader, length: 0, left, all }.check()?;
    let ration = Arc::new(AtomicU64::new(RATION));
    let opened = ZipArchive::new(Rationed { reader, left: Arc::clone(&ration) });
    // The parser goes on after some errors, so that what it opened may be less than what is there.
    if ration.swap(UNBOUNDED, Ordering::Relaxed) == 0 {
        return Err(too_large());
    }
    opened.map_err(|error| failure(&error))
}

/// A reader that gives so many bytes, and no more until it is unbounded.
pub(super) struct Rationed<R> {
    reader: R,
    left: Arc<AtomicU64>,
}

impl<R: Read> Read for Rationed<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let left = self.left.load(Ordering::Relaxed);
        if left == UNBOUNDED {
            return self.reader.read(into);
        }
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(into.len());
        if most == 0 && !into.is_empty() {
            return Err(io::Error::other("the directory of the archive is too large"));
        }
        let read = self.reader.read(&mut into[..most])?;
        self.left.store(left.saturating_sub(read as u64), Ordering::Relaxed);
        Ok(read)
    }
}

impl<R: Seek> Seek for Rationed<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.reader.seek(to)
    }
}

/// The end of an archive.
struct Ending<'r, R> {
    reader: &'r mut R,
    /// Bytes of the whole.
    length: u64,
    left: usize,
    all: usize,
}

impl<R: Read + Seek> Ending<'_, R> {
    /// Looks at each record that the parser may go by, the last one first as the parser does. Where none is found the parser is left to
    /// say so.
    fn check(mut self) -> Result<(), Unreadable> {
        self.length = self.reader.seek(SeekFrom::End(0)).map_err(|_| Unreadable::damaged())?;
        let start = self.length.saturating_sub(TAIL);
        let mut tail = vec![];
        self.reader.seek(SeekFrom::Start(start)).map_err(|_| Unreadable::damaged())?;
        self.reader.by_ref().take(TAIL).read_to_end(&mut tail).map_err(|_| Unreadable::damaged())?;
        let mut before = tail.len();
        while let Some(at) = tail[..before].windows(END.len()).rposition(|window| window == END) {
            let record = &tail[at..];
            if record.len() >= END_LENGTH && self.is_gone_by(record, start + at as u64)? {
                return Ok(());
            }
            before = at;
        }
        Ok(())
    }

    /// Whether the parser surely goes by the record at a place, and looks at none before it. Else it may be four bytes in a comment or a
    /// file that only look like one.
    fn is_gone_by(&mut self, record: &[u8], place: u64) -> Result<bool, Unreadable> {
        if place + END_LENGTH as u64 + number(record, 20..22) > self.length {
            return Ok(false);
        }
        let (entries, size, start) = (number(record, 10..12), number(record, 12..16), number(record, 16..20));
        // A number that has no room here stands in the zip64 record (4.4.1.4).
        if entries == 0xFFFF || size == 0xFFFF_FFFF || start == 0xFFFF_FFFF {
            let before = place.saturating_sub(ZIP64_LOCATOR_LENGTH as u64);
            let locator = self.at::<ZIP64_LOCATOR_LENGTH>(before);
            if let Some(locator) = locator.filter(|locator| locator.starts_with(ZIP64_LOCATOR)) {
                return self.is_gone_by_in_zip64(&locator, before);
            }
        }
        // Archives in several parts are not read.
        if number(record, 4..8) != 0 || number(record, 8..10) != entries || start > place {
            return Ok(false);
        }
        self.require(entries, size)?;
        if entries == 0 {
            return Ok(true);
        }
        // Before the archive may be something else, such as a program that unpacks it: then all stands later than it says.
        let begins = place.checked_sub(size).filter(|begins| *begins >= start && start < place);
        Ok(begins.and_then(|begins| self.at::<4>(begins)).is_some_and(|header| header == HEADER))
    }

    /// The same of a zip64 record, by its locator. It must stand where that says and be whole: for another the parser would search all of
    /// the file, and set memory aside for as many entries as whatever it finds there says.
    fn is_gone_by_in_zip64(&mut self, locator: &[u8], place: u64) -> Result<bool, Unreadable> {
        let at = number(locator, 8..16);
        let record = self.at::<ZIP64_END_LENGTH>(at).filter(|record| record.starts_with(ZIP64_END));
        let record = record.ok_or_else(Unreadable::damaged)?;
        let (length, entries) = (number(&record, 4..12), number(&record, 32..40));
        let (size, start) = (number(&record, 40..48), number(&record, 48..56));
        // The parser keeps the record as it keeps the directory.
        self.require(entries, size.max(length))?;
        let is_whole = length >= ZIP64_END_LENGTH as u64 - ZIP64_END_UNCOUNTED
            && length.checked_add(ZIP64_END_UNCOUNTED).and_then(|length| length.checked_add(at)) == Some(place)
            && number(locator, 16..20) <= 1
            && number(locator, 4..8) == number(&record, 20..24)
            && number(&record, 16..20) == 0
            && number(&record, 24..32) == entries
            && entries.saturating_mul(HEADER_LENGTH).saturating_add(start) <= at;
        if !is_whole {
            return Err(Unreadable::damaged());
        }
        Ok(start.checked_add(size) == Some(at))
    }

    fn require(&self, entries: u64, size: u64) -> Result<(), Unreadable> {
        if entries > self.left as u64 {
            return Err(too_many(self.all));
        }
        if size > DIRECTORY { Err(too_large()) } else { Ok(()) }
    }

    /// So many bytes at a place, where there are as many.
    fn at<const N: usize>(&mut self, place: u64) -> Option<[u8; N]> {
        let mut bytes = [0; N];
        self.reader.seek(SeekFrom::Start(place)).ok()?;
        self.reader.read_exact(&mut bytes).ok()?;
        Some(bytes)
    }
}

/// The number at a place of a record.
fn number(record: &[u8], at: Range<usize>) -> u64 {
    record[at].iter().rev().fold(0, |number, byte| (number << 8) | u64::from(*byte))
}

fn too_large() -> Unreadable {
    Unreadable::too_large(format!("The list of what is in the archive has more than {DIRECTORY} bytes."))
}
