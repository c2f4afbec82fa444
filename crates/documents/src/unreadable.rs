//! Why a file gave no text, said to the person who sent it.

use serde::{Deserialize, Serialize};

/// A file that gives no text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{sentence}")]
#[serde(deny_unknown_fields)]
pub struct Unreadable {
    /// The cause, for programs; stable.
    pub code: Code,
    /// The cause and what to do about it, for people.
    pub sentence: String,
}

/// The causes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// A password is needed.
    Encrypted,
    /// The file breaks its own format, or broke the reader.
    Damaged,
    /// No bytes, or no text in them.
    Empty,
    /// No format that is read.
    Unsupported,
    /// A bound of [`Limits`](crate::Limits), or of memory, was passed.
    TooLarge,
    /// The time was up.
    TooSlow,
    /// There is text, but it cannot be told what it says.
    UnreadableText,
}

impl Code {
    /// Its name in answers and rows.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Encrypted => "encrypted",
            Self::Damaged => "damaged",
            Self::Empty => "empty",
            Self::Unsupported => "unsupported",
            Self::TooLarge => "too_large",
            Self::TooSlow => "too_slow",
            Self::UnreadableText => "unreadable_text",
        }
    }
}

impl Unreadable {
    pub(crate) fn new(code: Code, sentence: impl Into<String>) -> Self {
        Self { code, sentence: sentence.into() }
    }

    pub(crate) fn damaged() -> Self {
        Self::new(
            Code::Damaged,
            "The file is damaged or incomplete. Open it in the program that made it, save it again, and send that.",
        )
    }

    pub(crate) fn encrypted() -> Self {
        Self::new(Code::Encrypted, "The file is protected by a password. Save a copy without one, and send that.")
    }

    pub(crate) fn unsupported(what: &str) -> Self {
        Self::new(
            Code::Unsupported,
            format!("{what} cannot be read. Send it as PDF, DOCX, XLSX, EPUB, CSV, HTML, Markdown, text, JSON or EML."),
        )
    }

    pub(crate) fn too_large(what: impl std::fmt::Display) -> Self {
        Self::new(Code::TooLarge, format!("{what} Split it into smaller files, and send those."))
    }

    pub(crate) fn text() -> Self {
        Self::new(
            Code::UnreadableText,
            "The file shows text, but does not say which letters it is made of. Export it again with text that can be copied, \
             or run it through text recognition, and send that.",
        )
    }
}
