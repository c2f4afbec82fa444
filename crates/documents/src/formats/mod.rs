//! One file per format: each turns what was recognised into blocks.

mod csv;
mod docx;
mod eml;
mod epub;
mod html;
mod json;
mod markdown;
mod pdf;
mod table;
mod text;
mod xlsx;
mod xml;

use crate::sniff::Sniffed;
use crate::writer::Writer;
use crate::{Document, Kind, Limits, Unreadable};

pub(crate) fn read(sniffed: Sniffed<'_>, limits: &Limits) -> Result<Document, Unreadable> {
    let writer = |kind| Writer::new(kind, limits);
    match sniffed {
        Sniffed::Pdf(bytes) => pdf::read(bytes, writer(Kind::Pdf)),
        Sniffed::Packed(Kind::Docx, package) => docx::read(package, writer(Kind::Docx)),
        Sniffed::Packed(Kind::Xlsx, package) => xlsx::read(package, writer(Kind::Xlsx)),
        Sniffed::Packed(_, package) => epub::read(package, writer(Kind::Epub)),
        Sniffed::Eml(bytes) => eml::read(bytes, writer(Kind::Eml)),
        Sniffed::Text(kind, text) => match kind {
            Kind::Csv => csv::read(&text, writer(kind)),
            Kind::Html => html::read(&text, writer(kind)),
            Kind::Markdown => markdown::read(&text, writer(kind)),
            Kind::Json => json::read(&text, writer(kind)),
            _ => text::read(&text, writer(Kind::Text)),
        },
    }
}

/// What to say of a file that is in order but holds no text.
pub(crate) fn nothing_found(kind: Kind) -> &'static str {
    match kind {
        Kind::Pdf => {
            "The PDF holds no text, only pictures of it. Run it through text recognition (OCR), and send the result."
        }
        _ => "The file holds no text. Check that it is the right one.",
    }
}
