//! Plain text: paragraphs are what blank lines separate. Nothing else is guessed, but lists.

use crate::document::Part;
use crate::writer::Writer;
use crate::{Document, Unreadable};

pub(super) fn read(text: &str, mut writer: Writer) -> Result<Document, Unreadable> {
    write(text, &mut writer)?;
    Ok(writer.finish())
}

/// Writes the paragraphs of a text.
pub(super) fn write(text: &str, writer: &mut Writer) -> Result<(), Unreadable> {
    let mut paragraph = String::new();
    // A form feed ends a page of paper; here it ends a paragraph.
    for line in text.split(['\n', '\u{C}', '\u{2029}']) {
        let (depth, item) = item(line);
        if line.trim().is_empty() || item.is_some() {
            writer.paragraph(&paragraph)?;
            paragraph.clear();
        }
        if let Some(item) = item {
            writer.block(Part::Item { depth }, item)?;
        } else {
            paragraph.push_str(line);
            paragraph.push('\n');
        }
    }
    writer.paragraph(&paragraph)
}

/// An item of a list, by its bullet, and how deep its indent says it is.
fn item(line: &str) -> (u8, Option<&str>) {
    let trimmed = line.trim_start();
    let depth = u8::try_from((line.len() - trimmed.len()) / 2).unwrap_or(u8::MAX).min(9);
    let item = ["- ", "* ", "• ", "– ", "+ "].iter().find_map(|bullet| trimmed.strip_prefix(bullet));
    (depth, item)
}
