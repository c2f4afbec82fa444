//! Turns the bytes of a file into structured text ([`read`]), an archive into files ([`archive`](mod@archive)), and a text into the passages that
//! are indexed and cited ([`passages()`]).
//!
//! A file is written by somebody else. [`read`] bounds what it allocates where it can see it; what it cannot see (a loop or a burst
//! of memory inside a parser) is bounded by [`apart`], which runs `read` in a child process that may do nothing but compute. A
//! server calls `apart`, never `read`. Why these parsers: docs/decisions/0014-reading-documents.md.

pub mod apart;
pub mod archive;
mod document;
mod encoding;
mod formats;
mod legible;
mod package;
mod passages;
mod sniff;
mod unreadable;
mod writer;

pub use document::{Block, Document, Kind, Note, Part, Table};
pub use passages::{Passage, Shape, estimate, passages};
pub use unreadable::{Code, Unreadable};

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::{Deserialize, Serialize};

/// How much one document may be. What exceeds a bound is [`Code::TooLarge`], never cut short silently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Bytes of the file.
    pub bytes: u64,
    /// Bytes of text taken from it.
    pub text: usize,
    /// Bytes that the parts of a packed file (DOCX, XLSX, EPUB) unpack to, together.
    pub unpacked: u64,
    /// How often larger than its packed form a part may be.
    pub ratio: u64,
    /// Parts in a packed file.
    pub entries: usize,
    /// Pages.
    pub pages: usize,
}

impl Default for Limits {
    /// 64 MiB of file, 32 MiB of text, 256 MiB unpacked at a ratio of at most 100 in at most 10,000 parts, 10,000 pages.
    fn default() -> Self {
        Self { bytes: 64 << 20, text: 32 << 20, unpacked: 256 << 20, ratio: 100, entries: 10_000, pages: 10_000 }
    }
}

/// Reads a file. `name` and `declared` (a media type, perhaps with a `charset`) are what the sender calls it: they decide only where
/// the content leaves it open, as between Markdown and plain text.
///
/// # Errors
/// [`Unreadable`] with a sentence for the person who sent the file. A parser that panics has found the file damaged.
pub fn read(bytes: &[u8], name: &str, declared: Option<&str>, limits: &Limits) -> Result<Document, Unreadable> {
    if bytes.is_empty() {
        return Err(Unreadable::new(
            Code::Empty,
            "The file is empty (zero bytes). Check that it was saved, and send it again.",
        ));
    }
    if bytes.len() as u64 > limits.bytes {
        return Err(Unreadable::too_large(format!(
            "The file has {} bytes; at most {} are read.",
            bytes.len(),
            limits.bytes
        )));
    }
    catch_unwind(AssertUnwindSafe(|| sniffed(bytes, name, declared, limits)))
        .unwrap_or_else(|_| Err(Unreadable::damaged()))
}

fn sniffed(bytes: &[u8], name: &str, declared: Option<&str>, limits: &Limits) -> Result<Document, Unreadable> {
    let sniffed = sniff::sniff(bytes, name, declared, limits)?;
    let document = formats::read(sniffed, limits)?;
    if document.text.trim().is_empty() {
        return Err(Unreadable::new(Code::Empty, formats::nothing_found(document.kind)));
    }
    Ok(document)
}
