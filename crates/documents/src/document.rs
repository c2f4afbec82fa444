//! What reading gives: one text, and where in it each heading, paragraph, item and row stands.

use std::ops::Range;

use serde::{Deserialize, Serialize};

/// A file as text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// What the file calls itself; never taken from the file's name.
    pub title: Option<String>,
    /// What it turned out to be.
    pub kind: Kind,
    /// All text: the blocks in reading order, separated by line breaks. Every offset counts bytes of this, on character boundaries.
    pub text: String,
    /// The parts of the text, in order, without overlap, none empty.
    pub blocks: Vec<Block>,
    /// The tables that [`Part::Row`]s belong to.
    pub tables: Vec<Table>,
    /// Where each page begins: page 1 at `pages[0]`. Empty when the format has no fixed pages.
    pub pages: Vec<usize>,
    /// What the sender should know about the reading.
    pub notes: Vec<Note>,
}

impl Document {
    /// The text of a block.
    #[must_use]
    pub fn block(&self, block: &Block) -> &str {
        &self.text[block.start..block.end]
    }

    /// The pages, first and last, from 1, on which a part of the text stands; nothing where there are no pages.
    #[must_use]
    pub fn pages_of(&self, range: &Range<usize>) -> Option<(u32, u32)> {
        let page = |offset: usize| {
            u32::try_from(self.pages.partition_point(|start| *start <= offset)).unwrap_or(u32::MAX).max(1)
        };
        (!self.pages.is_empty()).then(|| (page(range.start), page(range.end.saturating_sub(1).max(range.start))))
    }

    /// The headings that a place in the text stands under, outermost first.
    #[must_use]
    pub fn headings_at(&self, offset: usize) -> Vec<String> {
        let mut path: Vec<(u8, &Block)> = Vec::new();
        for block in self.blocks.iter().take_while(|block| block.start <= offset) {
            if let Part::Heading { level } = block.part {
                path.retain(|(outer, _)| *outer < level);
                path.push((level, block));
            }
        }
        path.into_iter().map(|(_, block)| self.block(block).to_owned()).collect()
    }
}

/// A part of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// What it is.
    #[serde(flatten)]
    pub part: Part,
    /// Its first byte in [`Document::text`].
    pub start: usize,
    /// The byte after its last.
    pub end: usize,
    /// The page it begins on, from 1, where that is known.
    pub page: Option<u32>,
}

/// What a block is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "part", rename_all = "snake_case")]
pub enum Part {
    /// A heading; 1 is the outermost level.
    Heading {
        /// 1 to 9.
        level: u8,
    },
    /// Running text.
    Paragraph,
    /// An item of a list, without its bullet.
    Item {
        /// How many lists it is inside of, from 0.
        depth: u8,
    },
    /// Code or preformatted text, its lines kept.
    Code,
    /// A row of a table, as `Column: value; Column: value`, empty cells left out.
    Row {
        /// Index into [`Document::tables`].
        table: u32,
    },
}

/// A table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// What it is called: its caption, or its sheet.
    pub caption: Option<String>,
    /// The names of its columns; empty when it names none.
    pub columns: Vec<String>,
}

/// What a file can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each is the name of a format")]
pub enum Kind {
    Pdf,
    Docx,
    Xlsx,
    Epub,
    Csv,
    Html,
    Markdown,
    Text,
    Json,
    Eml,
}

impl Kind {
    /// Its name in answers and filters.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pdf => "pdf",
            Self::Docx => "docx",
            Self::Xlsx => "xlsx",
            Self::Epub => "epub",
            Self::Csv => "csv",
            Self::Html => "html",
            Self::Markdown => "markdown",
            Self::Text => "text",
            Self::Json => "json",
            Self::Eml => "eml",
        }
    }
}

/// Something that the sender should know: what was left out, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Note(pub String);
