//! Makes files to read: archives, PDFs, mails.

use std::io::{Cursor, Write};

use documents::{Document, Limits, Unreadable};
use zip::write::SimpleFileOptions;

/// Reads with the usual limits.
pub(crate) fn read(bytes: &[u8], name: &str) -> Result<Document, Unreadable> {
    documents::read(bytes, name, None, &Limits::default())
}

/// A document as lines, for snapshots.
pub(crate) fn shown(document: &Document) -> String {
    let mut shown = format!("{:?} {:?}\n", document.kind, document.title);
    for note in &document.notes {
        shown.push_str(&format!("note: {}\n", note.0));
    }
    for block in &document.blocks {
        let page = block.page.map_or(String::new(), |page| format!(" p{page}"));
        shown.push_str(&format!("{:?}{page}: {}\n", block.part, document.block(block)));
    }
    shown
}

/// A zip file.
pub(crate) fn zipped(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(vec![]));
    for (name, bytes) in entries {
        writer.start_file(*name, SimpleFileOptions::default()).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// The smallest DOCX around a body.
pub(crate) fn docx(body: &str) -> Vec<u8> {
    let document = format!(
        r#"<?xml version="1.0"?><w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>{body}</w:body></w:document>"#
    );
    zipped(&[("[Content_Types].xml", b"<Types/>"), ("word/document.xml", document.as_bytes())])
}

/// A PDF of pages, each a content stream, with Helvetica (F1), Helvetica-Bold (F2) and what else `fonts` says.
pub(crate) fn pdf(pages: &[String], fonts: &str, trailer: &str) -> Vec<u8> {
    let mut objects: Vec<String> = vec![
        "<</Type/Catalog/Pages 2 0 R>>".to_owned(),
        format!(
            "<</Type/Pages/Count {}/Kids[{}]>>",
            pages.len(),
            (0..pages.len()).map(|page| format!("{} 0 R ", 5 + page * 2)).collect::<String>()
        ),
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>".to_owned(),
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica-Bold/Encoding/WinAnsiEncoding>>".to_owned(),
    ];
    for (index, page) in pages.iter().enumerate() {
        objects.push(format!(
            "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents {} 0 R/Resources<</Font<</F1 3 0 R/F2 4 0 R {fonts}>>>>>>",
            6 + index * 2
        ));
        objects.push(format!("<</Length {}>>stream\n{page}\nendstream", page.len()));
    }
    let mut file = b"%PDF-1.7\n".to_vec();
    let mut places = vec![];
    for (index, object) in objects.iter().enumerate() {
        places.push(file.len());
        file.extend(format!("{} 0 obj\n{object}\nendobj\n", index + 1).bytes());
    }
    let table = file.len();
    file.extend(format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1).bytes());
    for place in places {
        file.extend(format!("{place:010} 00000 n \n").bytes());
    }
    file.extend(
        format!("trailer<</Size {}/Root 1 0 R{trailer}>>\nstartxref\n{table}\n%%EOF\n", objects.len() + 1).bytes(),
    );
    file
}

/// Text on a page: font, size, place from the lower left, words.
pub(crate) fn words(lines: &[(&str, u32, u32, u32, &str)]) -> String {
    lines.iter().map(|(font, size, x, y, text)| format!("BT /{font} {size} Tf {x} {y} Td ({text}) Tj ET\n")).collect()
}
