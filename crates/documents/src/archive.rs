//! Archives of many files: a folder, or an export of Notion. What an archive unpacks to is counted as it comes, names lead nowhere, and
//! of each file it is said what it is and where it stood.
//!
//! An archive is unpacked in the server's own process (memory-safe code, bounded as below); its files are read apart.

mod directory;
mod notion;

use std::io::{Cursor, Read, Seek};

use zip::ZipArchive;
use zip::result::ZipError;

use self::directory::Rationed;
use crate::{Code, Unreadable};

/// Below this a file may unpack to any multiple of its packed size: short repetitive text is no bomb.
const RATIO_FREE: u64 = 4 << 20;

/// How much an archive may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Entries, folders included, archives inside of it too.
    pub entries: usize,
    /// Bytes that all of it unpacks to.
    pub unpacked: u64,
    /// Bytes of one file.
    pub file: u64,
    /// How often larger than its packed form a file may be.
    pub ratio: u64,
    /// Archives inside of archives: 1 is one level.
    pub depth: usize,
}

impl Default for Bounds {
    /// 10,000 entries, 2 GiB in all, 64 MiB a file, ratio 100, two levels.
    fn default() -> Self {
        Self { entries: 10_000, unpacked: 2 << 30, file: 64 << 20, ratio: 100, depth: 2 }
    }
}

/// A file of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where it stood, folders separated by `/`, as people read it (Notion's ids taken out).
    pub path: String,
    /// Its name without folders and extension, as people read it.
    pub title: String,
    /// Its name as it was, with its extension: what [`crate::read`] wants to know.
    pub name: String,
    /// The id that Notion gave the page, 32 hexadecimal digits.
    pub notion_id: Option<String>,
    /// What it holds.
    pub bytes: Vec<u8>,
}

/// What became of one entry. A refused one leaves the others readable.
pub type Unpacked = Result<Entry, Refused>;

/// A file of an archive that is not given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Its name in the archive, at most 300 characters of it.
    pub path: String,
    /// Why.
    pub cause: Unreadable,
}

/// Opens an archive. Its files come one by one, each unpacked when it is asked for; after a bound on the whole is passed, one
/// refusal says so and nothing follows.
///
/// # Errors
/// [`Code::Damaged`] when it is no archive, [`Code::TooLarge`] when it lists too many entries, or its list is too large.
pub fn archive<R: Read + Seek>(reader: R, bounds: Bounds) -> Result<Archive<R>, Unreadable> {
    Archive::open(reader, bounds, bounds)
}

impl<R: Read + Seek> Archive<R> {
    /// Opens an archive to which so much is left of the bounds.
    fn open(reader: R, bounds: Bounds, mut left: Bounds) -> Result<Self, Unreadable> {
        let zip = directory::open(reader, left.entries, bounds.entries)?;
        left.entries = left.entries.checked_sub(zip.len()).ok_or_else(|| too_many(bounds.entries))?;
        let names = Names::of(&zip);
        Ok(Self { zip, names, next: 0, inner: None, bounds, left, ended: false })
    }

    /// How many files it lists, those of archives inside of it not counted.
    #[must_use]
    pub fn files(&self) -> usize {
        let is_file = |path: &&String| !path.ends_with('/') && !left_behind(path) && !self.names.repeats(path);
        self.names.0.iter().filter(is_file).count()
    }
}

/// The files of an archive.
pub struct Archive<R> {
    zip: ZipArchive<Rationed<R>>,
    names: Names,
    next: usize,
    /// The archive inside that is being read.
    inner: Option<Box<Archive<Cursor<Vec<u8>>>>>,
    bounds: Bounds,
    /// What is left of the bounds.
    left: Bounds,
    ended: bool,
}

impl<R: Read + Seek> Iterator for Archive<R> {
    type Item = Unpacked;

    fn next(&mut self) -> Option<Unpacked> {
        loop {
            if let Some(inner) = &mut self.inner {
                if let Some(entry) = inner.next() {
                    return Some(entry);
                }
                (self.left, self.ended) = (Bounds { depth: self.left.depth, ..inner.left }, inner.ended);
                self.inner = None;
            }
            if self.ended || self.next >= self.zip.len() {
                return None;
            }
            self.next += 1;
            if let Some(entry) = self.entry(self.next - 1) {
                return Some(entry);
            }
        }
    }
}

impl<R: Read + Seek> Archive<R> {
    /// The entry at an index; nothing for folders, what programs leave behind, and archives, which are opened.
    fn entry(&mut self, index: usize) -> Option<Unpacked> {
        let (raw, encrypted, folder) = match self.zip.by_index_raw(index) {
            Ok(file) => (file.name_raw().to_vec(), file.encrypted(), file.is_dir()),
            Err(_) => return Some(Err(Refused { path: format!("entry {}", index + 1), cause: Unreadable::damaged() })),
        };
        let path = decoded(&raw);
        if folder || path.ends_with('/') || left_behind(&path) {
            return None;
        }
        let refused = |cause| Some(Err(Refused { path: path.chars().take(300).collect(), cause }));
        let Some(parts) = parts(&path) else {
            return refused(Unreadable::new(
                Code::Unsupported,
                "The name leads out of the archive. Pack the folder again without absolute names and without `..`.",
            ));
        };
        if encrypted {
            return refused(Unreadable::encrypted());
        }
        if self.names.repeats(&path) {
            return None;
        }
        let bytes = match self.unpack(index) {
            Ok(bytes) => bytes,
            Err(cause) => return refused(cause),
        };
        let zipped = path.to_ascii_lowercase().ends_with(".zip") && bytes.starts_with(b"PK");
        if !zipped {
            return Some(Ok(notion::entry(&parts, bytes)));
        }
        if self.left.depth == 0 {
            return refused(Unreadable::too_large("Archives are packed inside of archives more than twice."));
        }
        match Archive::open(Cursor::new(bytes), self.bounds, Bounds { depth: self.left.depth - 1, ..self.left }) {
            Err(cause) => refused(cause),
            Ok(archive) => {
                self.inner = Some(Box::new(archive));
                None
            }
        }
    }

    fn unpack(&mut self, index: usize) -> Result<Vec<u8>, Unreadable> {
        let mut file = self.zip.by_index(index).map_err(|error| failure(&error))?;
        let ratio = file.compressed_size().saturating_mul(self.bounds.ratio).max(RATIO_FREE);
        let most = ratio.min(self.bounds.file).min(self.left.unpacked);
        let mut bytes = vec![];
        (&mut file).take(most + 1).read_to_end(&mut bytes).map_err(|_| Unreadable::damaged())?;
        let unpacked = bytes.len() as u64;
        self.left.unpacked = self.left.unpacked.saturating_sub(unpacked);
        if unpacked <= most {
            return Ok(bytes);
        }
        if self.left.unpacked == 0 {
            self.ended = true;
            return Err(Unreadable::too_large(format!(
                "The archive unpacks to more than {} bytes; the rest was left.",
                self.bounds.unpacked
            )));
        }
        Err(if most == ratio {
            Unreadable::too_large("The file unpacks to far more than its size; it is refused as a possible zip bomb.")
        } else {
            Unreadable::too_large(format!("The file has more than {} bytes.", self.bounds.file))
        })
    }
}

/// The names of an archive, to see which file another repeats.
struct Names(std::collections::HashSet<String>);

impl Names {
    fn of<R: Read + Seek>(archive: &ZipArchive<R>) -> Self {
        Self(archive.file_names_raw().map(decoded).collect())
    }

    /// Whether a file only repeats another. Notion writes a database twice: as it is shown, and `_all` with every row and column.
    /// The fuller one stays.
    fn repeats(&self, path: &str) -> bool {
        path.strip_suffix(".csv")
            .is_some_and(|stem| !stem.ends_with("_all") && self.0.contains(&format!("{stem}_all.csv")))
    }
}

fn failure(error: &ZipError) -> Unreadable {
    match error {
        ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) => Unreadable::encrypted(),
        ZipError::UnsupportedArchive(_) => Unreadable::unsupported("A file packed in this way"),
        _ => Unreadable::damaged(),
    }
}

fn too_many(entries: usize) -> Unreadable {
    Unreadable::too_large(format!("The archive has more than {entries} entries."))
}

/// A name as text: UTF-8, or the code page that zip began with.
fn decoded(raw: &[u8]) -> String {
    let text = std::str::from_utf8(raw)
        .map_or_else(|_| encoding_rs::IBM866.decode_without_bom_handling(raw).0.into_owned(), str::to_owned);
    text.replace('\\', "/")
}

/// The folders and the name of a path that stays inside of the archive.
fn parts(path: &str) -> Option<Vec<String>> {
    let absolute = path.starts_with('/') || path.get(1..3) == Some(":/") || path.contains('\0');
    let parts: Vec<String> =
        path.split('/').filter(|part| !part.is_empty() && *part != ".").map(str::to_owned).collect();
    (!absolute && !parts.is_empty() && parts.iter().all(|part| part != "..")).then_some(parts)
}

/// What systems and programs leave in folders.
fn left_behind(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    path.starts_with("__MACOSX/")
        || path.contains("/.git/")
        || matches!(name, ".DS_Store" | "Thumbs.db" | "desktop.ini")
        || name.starts_with("~$")
}
