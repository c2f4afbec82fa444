//! PDF. `hayro` reads the file's syntax and fonts; from the glyphs and where they stand, lines, paragraphs and headings are found here.

mod content;
mod fonts;
mod lines;
mod outline;
mod running;
mod structure;

use hayro_syntax::{DecryptionError, LoadPdfError, Pdf};

use crate::legible::Legibility;
use crate::writer::Writer;
use crate::{Document, Unreadable};

pub(super) fn read(bytes: &[u8], mut writer: Writer) -> Result<Document, Unreadable> {
    let pdf = Pdf::new(bytes.to_vec()).map_err(|error| match error {
        LoadPdfError::Decryption(DecryptionError::PasswordProtected) => Unreadable::encrypted(),
        LoadPdfError::Decryption(_) | LoadPdfError::Invalid => Unreadable::damaged(),
    })?;
    let mut fonts = fonts::Fonts::new();
    let (mut pages, mut whole, mut blank, mut garbled) = (vec![], Legibility::default(), 0, vec![]);
    for (index, page) in pdf.pages().iter().enumerate() {
        writer.allows_page(index)?;
        let page_lines = lines::lines(content::glyphs(page, &mut fonts)?, &fonts.faces);
        whole.join(page_lines.legibility);
        if page_lines.turned {
            writer.note("Text that runs in another direction than the rest of its page was left out.");
        }
        blank += usize::from(page_lines.lines.is_empty());
        let height = page.render_dimensions().1;
        if page_lines.legibility.gibberish() {
            garbled.push((index + 1).to_string());
            pages.push((vec![], height));
        } else {
            pages.push((page_lines.lines, height));
        }
    }
    if pages.is_empty() {
        return Err(Unreadable::damaged());
    }
    if whole.gibberish() || garbled.len() * 2 > pages.len() {
        return Err(Unreadable::text());
    }
    if !garbled.is_empty() {
        writer.note(format!(
            "The fonts of these pages do not say which letters they show; they were left out: {}.",
            garbled.join(", ")
        ));
    }
    if blank > 0 && blank < pages.len() {
        writer.note(format!("{blank} of {} pages hold no text, perhaps only pictures of it.", pages.len()));
    }
    running::remove(&mut pages);
    if let Some(title) = &pdf.metadata().title {
        let title = text_string(title);
        if !title.starts_with("Microsoft ") && !title.eq_ignore_ascii_case("untitled") {
            writer.title(&title);
        }
    }
    let pages: Vec<Vec<lines::Line>> = pages.into_iter().map(|(lines, _)| lines).collect();
    structure::write(&pages, &outline::read(&pdf), &mut writer)?;
    Ok(writer.finish())
}

/// A text of the file's own records: UTF-16 or UTF-8 with a mark, else (nearly) Latin-1. PDF 32000-1, 7.9.2.2.
fn text_string(bytes: &[u8]) -> String {
    match bytes {
        [0xFE, 0xFF, rest @ ..] => encoding_rs::UTF_16BE.decode_without_bom_handling(rest).0.into_owned(),
        [0xFF, 0xFE, rest @ ..] => encoding_rs::UTF_16LE.decode_without_bom_handling(rest).0.into_owned(),
        [0xEF, 0xBB, 0xBF, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        _ => encoding_rs::WINDOWS_1252.decode_without_bom_handling(bytes).0.into_owned(),
    }
}
