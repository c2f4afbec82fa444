//! The outline (bookmarks) of a PDF: what its author's program took for headings, and how deep.

use std::collections::HashSet;

use hayro_syntax::Pdf;
use hayro_syntax::object::{Dict, String as PdfString};

/// Entries read; a dictionary has fewer.
const ENTRIES: usize = 20_000;

/// A heading, by the outline.
pub(super) struct Entry {
    /// Its letters and digits, lower case.
    pub(super) key: String,
    pub(super) level: u8,
}

/// The entries in the document's order.
pub(super) fn read(pdf: &Pdf) -> Vec<Entry> {
    let mut entries = vec![];
    let Some(root) = pdf.xref().get::<Dict<'_>>(pdf.xref().root_id()) else { return entries };
    let outlines = root.get::<Dict<'_>>(b"Outlines".as_slice());
    let mut stack = vec![(outlines.and_then(|outlines| outlines.get::<Dict<'_>>(b"First".as_slice())), 1_u8)];
    // Entries form a tree by their own word: one that comes again is a loop.
    let mut seen = HashSet::new();
    while let Some((entry, level)) = stack.pop() {
        let Some(entry) = entry.filter(|entry| seen.insert(entry.data().as_ptr().addr())) else { continue };
        if entries.len() >= ENTRIES {
            break;
        }
        if let Some(title) = entry.get::<PdfString<'_>>(b"Title".as_slice()) {
            entries.push(Entry { key: key(&super::text_string(title.as_bytes())), level });
        }
        stack.push((entry.get::<Dict<'_>>(b"Next".as_slice()), level));
        stack.push((entry.get::<Dict<'_>>(b"First".as_slice()), level.saturating_add(1).min(9)));
    }
    entries.retain(|entry| !entry.key.is_empty());
    entries
}

/// What two spellings of a heading have in common: no number before it, no blanks, no signs, no case.
pub(super) fn key(text: &str) -> String {
    let text = text.trim_start_matches(|c: char| !c.is_alphabetic());
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}
