//! Builds a [`Document`] block by block, cleans each, and refuses more text than the limits allow.

use crate::document::{Block, Document, Kind, Note, Part, Table};
use crate::{Limits, Unreadable};

/// Notes kept; the rest would say the same.
const NOTES: usize = 20;

/// For tables that name none.
pub(crate) const NO_COLUMNS: &[&str] = &[];

pub(crate) struct Writer {
    document: Document,
    limit: usize,
    pages: usize,
    columns: Vec<String>,
}

impl Writer {
    pub(crate) fn new(kind: Kind, limits: &Limits) -> Self {
        let document = Document {
            title: None,
            kind,
            text: String::new(),
            blocks: vec![],
            tables: vec![],
            pages: vec![],
            notes: vec![],
        };
        Self { document, limit: limits.text, pages: limits.pages, columns: vec![] }
    }

    /// Sets the title unless there is one, or this is blank.
    pub(crate) fn title(&mut self, title: &str) {
        if self.document.title.is_none() {
            let mut clean = String::new();
            clean_into(&mut clean, title, false);
            if !clean.is_empty() {
                self.document.title = Some(clean.chars().take(300).collect());
            }
        }
    }

    pub(crate) fn has_title(&self) -> bool {
        self.document.title.is_some()
    }

    pub(crate) fn note(&mut self, note: impl Into<String>) {
        let note = Note(note.into());
        if self.document.notes.len() < NOTES && !self.document.notes.contains(&note) {
            self.document.notes.push(note);
        }
    }

    /// Refuses a page, counted from 0, past the limit.
    pub(crate) fn allows_page(&self, index: usize) -> Result<(), Unreadable> {
        if index < self.pages {
            return Ok(());
        }
        Err(Unreadable::too_large(format!("The document has more than {} pages.", self.pages)))
    }

    /// Begins a page: what is written next stands on it.
    pub(crate) fn page(&mut self) -> Result<(), Unreadable> {
        self.allows_page(self.document.pages.len())?;
        self.document.pages.push(self.document.text.len());
        Ok(())
    }

    /// Adds a block, unless nothing is left of it once it is cleaned.
    pub(crate) fn block(&mut self, part: Part, text: &str) -> Result<(), Unreadable> {
        self.block_over_pages(part, &[text])
    }

    /// Adds a block whose text comes in pieces, each but the first beginning a page. A piece that should stand apart from the one
    /// before begins with a space.
    pub(crate) fn block_over_pages(&mut self, part: Part, pieces: &[&str]) -> Result<(), Unreadable> {
        let document = &mut self.document;
        let before = document.text.len();
        if pieces.iter().map(|piece| piece.len()).sum::<usize>() > self.limit.saturating_sub(before) {
            return Err(Unreadable::too_large(format!("The text is longer than {} bytes.", self.limit)));
        }
        let close = |part| matches!(part, Part::Row { .. } | Part::Item { .. });
        if let Some(last) = document.blocks.last() {
            document.text.push_str(if close(last.part) && close(part) { "\n" } else { "\n\n" });
        }
        let start = document.text.len();
        let page = (!document.pages.is_empty()).then(|| u32::try_from(document.pages.len()).unwrap_or(u32::MAX));
        for (index, piece) in pieces.iter().enumerate() {
            if index > 0 {
                if piece.starts_with(' ') && document.text.len() > start {
                    document.text.push(' ');
                }
                document.pages.push(document.text.len());
            } else if let Some(last) = document.pages.last_mut()
                && *last == before
            {
                *last = start;
            }
            clean_into(&mut document.text, piece, part == Part::Code);
        }
        if document.text[start..].trim().is_empty() {
            document.text.truncate(before);
            for page in &mut document.pages {
                *page = (*page).min(before);
            }
            return Ok(());
        }
        let end = document.text.len();
        document.blocks.push(Block { part, start, end, page });
        Ok(())
    }

    pub(crate) fn heading(&mut self, level: u8, text: &str) -> Result<(), Unreadable> {
        self.block(Part::Heading { level: level.clamp(1, 9) }, &text.split_whitespace().collect::<Vec<_>>().join(" "))
    }

    pub(crate) fn paragraph(&mut self, text: &str) -> Result<(), Unreadable> {
        self.block(Part::Paragraph, text)
    }

    /// Begins a table: [`row`](Self::row) adds to it.
    pub(crate) fn table(&mut self, caption: Option<&str>, columns: &[impl AsRef<str>]) {
        let tidy = |text: &str| {
            let mut clean = String::new();
            clean_into(&mut clean, text, false);
            clean.replace('\n', " ")
        };
        self.columns = columns.iter().map(|column| tidy(column.as_ref())).collect();
        let caption = caption.map(tidy).filter(|caption| !caption.is_empty());
        self.document.tables.push(Table { caption, columns: self.columns.clone() });
    }

    /// Adds a row to the table begun last.
    pub(crate) fn row<S: AsRef<str>>(&mut self, cells: &[S]) -> Result<(), Unreadable> {
        let mut text = String::new();
        for (index, cell) in cells.iter().enumerate() {
            let cell = cell.as_ref().trim();
            if cell.is_empty() {
                continue;
            }
            if !text.is_empty() {
                text.push_str("; ");
            }
            if let Some(column) = self.columns.get(index).filter(|column| !column.is_empty()) {
                text.push_str(column);
                text.push_str(": ");
            }
            text.extend(cell.chars().map(|c| if c == '\n' || c == '\r' { ' ' } else { c }));
            if text.len() > self.limit {
                return Err(Unreadable::too_large(format!("A row of a table is longer than {} bytes.", self.limit)));
            }
        }
        let table = u32::try_from(self.document.tables.len().saturating_sub(1)).unwrap_or(u32::MAX);
        self.block(Part::Row { table }, &text)
    }

    /// The document. One without a title has the heading that it begins with.
    pub(crate) fn finish(mut self) -> Document {
        if let Some(first) = self.document.blocks.first().filter(|first| matches!(first.part, Part::Heading { .. })) {
            let heading = self.document.block(first).to_owned();
            self.title(&heading);
        }
        self.document
    }
}

/// Adds a text to another: runs of blanks become one, invisible characters go, line breaks stay (at most one in a row). Code keeps
/// its blanks and blank lines, but those around it.
pub(crate) fn clean_into(out: &mut String, text: &str, code: bool) {
    let start = out.len();
    if code {
        for line in text.trim_matches(['\n', '\r']).lines() {
            out.extend(
                line.trim_end()
                    .chars()
                    .filter(|c| !invisible(*c))
                    .map(|c| if c == '\t' || !c.is_whitespace() { c } else { ' ' }),
            );
            out.push('\n');
        }
    } else {
        let (mut blank, mut broken) = (false, false);
        for c in text.chars() {
            match c {
                '\n' => broken = true,
                c if c.is_whitespace() => blank = true,
                c if invisible(c) => {}
                c => {
                    if out.len() > start && broken {
                        out.push('\n');
                    } else if out.len() > start && blank {
                        out.push(' ');
                    }
                    (blank, broken) = (false, false);
                    out.push(c);
                }
            }
        }
    }
    out.truncate(start + out[start..].trim_end().len());
}

/// Characters that show nothing: controls, byte order marks, soft hyphens, zero-width spaces, and the tag characters with which a
/// text can say to a model what no person sees.
fn invisible(c: char) -> bool {
    (c.is_control() && c != '\t')
        || matches!(c, '\u{FEFF}' | '\u{AD}' | '\u{200B}' | '\u{2060}'..='\u{2064}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invisible_characters_and_runs_of_blanks_go() {
        let mut out = String::new();
        clean_into(&mut out, "\u{FEFF}  a\u{AD}b \t c\r\n\n\n d\u{E0041}\u{0} ", false);
        assert_eq!(out, "ab c\nd");
    }

    #[test]
    fn code_keeps_its_lines_and_indents() {
        let mut out = String::new();
        clean_into(&mut out, "if x:\n    y\n", true);
        assert_eq!(out, "if x:\n    y");
    }

    #[test]
    fn a_paragraph_over_two_pages_knows_where_the_second_begins() {
        let mut writer = Writer::new(Kind::Pdf, &Limits::default());
        writer.page().unwrap();
        writer.paragraph("Before.").unwrap();
        writer.block_over_pages(Part::Paragraph, &["first half", " second half"]).unwrap();
        writer.paragraph("After.").unwrap();
        let document = writer.finish();
        assert_eq!(document.text, "Before.\n\nfirst half second half\n\nAfter.");
        assert_eq!(document.pages, [0, 20]);
        assert_eq!(document.pages_of(&(9..31)), Some((1, 2)));
        assert_eq!(document.pages_of(&(20..31)), Some((2, 2)));
        assert_eq!(document.blocks[2].page, Some(2));
    }

    #[test]
    fn a_page_begins_where_its_first_block_does() {
        let mut writer = Writer::new(Kind::Pdf, &Limits::default());
        writer.page().unwrap();
        writer.paragraph("One.").unwrap();
        writer.page().unwrap();
        writer.paragraph("\u{200B}").unwrap();
        writer.page().unwrap();
        writer.paragraph("Three.").unwrap();
        let document = writer.finish();
        assert_eq!(document.text, "One.\n\nThree.");
        assert_eq!(document.pages_of(&(6..12)), Some((3, 3)));
        assert_eq!(document.pages_of(&(0..4)), Some((1, 1)));
    }
}
