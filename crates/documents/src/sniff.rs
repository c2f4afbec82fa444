//! What a file is: its content decides, its name and declared type only between formats that are all plain text.

use crate::package::Package;
use crate::{Kind, Limits, Unreadable, encoding};

/// A file, recognised: packed ones opened, text ones decoded.
pub(crate) enum Sniffed<'b> {
    Pdf(&'b [u8]),
    Packed(Kind, Package<'b>),
    Eml(&'b [u8]),
    Text(Kind, String),
}

/// What begins with these bytes, and is not read.
const OTHERS: &[(&[u8], &str)] = &[
    (b"\x89PNG", "A picture (PNG)"),
    (b"\xFF\xD8\xFF", "A picture (JPEG)"),
    (b"GIF8", "A picture (GIF)"),
    (b"II*\0", "A picture (TIFF)"),
    (b"MM\0*", "A picture (TIFF)"),
    (b"RIFF", "A picture, sound or film (RIFF)"),
    (b"{\\rtf", "A Rich Text file (RTF)"),
    (b"%!PS", "A PostScript file"),
    (b"\x1F\x8B", "A gzip archive"),
    (b"7z\xBC\xAF", "A 7-Zip archive"),
    (b"Rar!", "A RAR archive"),
    (b"BZh", "A bzip2 archive"),
    (b"\xFD7zXZ", "An XZ archive"),
    (b"\x7FELF", "A program"),
    (b"MZ", "A program"),
    (b"SQLite format 3\0", "A SQLite database"),
    (b"PAR1", "A Parquet file"),
    (b"ID3", "A sound file (MP3)"),
    (b"OggS", "A sound or film (Ogg)"),
];

/// Recognises a file.
///
/// # Errors
/// [`crate::Code::Unsupported`] for what is none of the formats, [`crate::Code::Encrypted`] where that shows already, and what opening an
/// archive or decoding a text finds wrong.
pub(crate) fn sniff<'b>(
    bytes: &'b [u8],
    name: &str,
    declared: Option<&str>,
    limits: &Limits,
) -> Result<Sniffed<'b>, Unreadable> {
    let head = &bytes[..bytes.len().min(1024)];
    if find(head, b"%PDF-").is_some() {
        return Ok(Sniffed::Pdf(bytes));
    }
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06") {
        return packed(bytes, limits);
    }
    if bytes.starts_with(b"\xD0\xCF\x11\xE0") {
        return Err(compound(bytes));
    }
    if let Some((_, what)) = OTHERS.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        // Two letters are also how a text may begin.
        if !(what.starts_with("A program") && encoding::is_text(bytes)) {
            return Err(Unreadable::unsupported(what));
        }
    }
    let by_name = by_name(name).or_else(|| by_type(declared?));
    if !encoding::is_text(bytes) {
        return Err(if by_name == Some(Kind::Pdf) || by_name.is_some_and(is_packed) || text_by_far(bytes) {
            Unreadable::damaged()
        } else {
            Unreadable::unsupported("This kind of file")
        });
    }
    if by_name == Some(Kind::Eml) || (by_name.is_none_or(|kind| kind == Kind::Text) && mail(head)) {
        return Ok(Sniffed::Eml(bytes));
    }
    let text = encoding::decode(bytes, declared)?;
    let start = text.trim_start_matches('\u{FEFF}').trim_start();
    let opening: String = start.chars().take(64).collect::<String>().to_ascii_lowercase();
    let html = opening.starts_with("<!doctype html")
        || opening.starts_with("<html")
        || (opening.starts_with("<?xml") && text.contains("<html"));
    let kind = match by_name {
        _ if html => Kind::Html,
        // The name says a format that the content is not: it is read as what it is.
        Some(Kind::Pdf | Kind::Docx | Kind::Xlsx | Kind::Epub | Kind::Eml) => Kind::Text,
        Some(kind) => kind,
        None if opening.starts_with(['{', '[']) && serde_json::from_str::<serde::de::IgnoredAny>(start).is_ok() => {
            Kind::Json
        }
        None => Kind::Text,
    };
    Ok(Sniffed::Text(kind, text))
}

fn packed<'b>(bytes: &'b [u8], limits: &Limits) -> Result<Sniffed<'b>, Unreadable> {
    let mut package = Package::open(bytes, limits)?;
    let kind = if package.has("word/document.xml") {
        Kind::Docx
    } else if package.has("xl/workbook.xml") {
        Kind::Xlsx
    } else if package.has("META-INF/container.xml") {
        Kind::Epub
    } else if package.has("ppt/presentation.xml") {
        return Err(Unreadable::unsupported("A presentation (PPTX)"));
    } else if package.has("xl/workbook.bin") {
        return Err(Unreadable::unsupported("A binary workbook (XLSB)"));
    } else if let Ok(media_type) = package.text("mimetype") {
        return Err(Unreadable::unsupported(if media_type.starts_with("application/vnd.oasis.opendocument") {
            "An OpenDocument file"
        } else {
            "This kind of packed file"
        }));
    } else {
        return Err(Unreadable::unsupported("An archive inside of a document's place"));
    };
    Ok(Sniffed::Packed(kind, package))
}

/// Microsoft's compound files: a protected new document, or an old one.
fn compound(bytes: &[u8]) -> Unreadable {
    let name: Vec<u8> = "EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes).collect();
    if find(bytes, &name).is_some() {
        Unreadable::encrypted()
    } else {
        Unreadable::unsupported("A file of an old Office program (before 2007)")
    }
}

fn by_name(name: &str) -> Option<Kind> {
    let (_, extension) = name.rsplit_once('.')?;
    Some(match extension.to_ascii_lowercase().as_str() {
        "pdf" => Kind::Pdf,
        "docx" | "docm" => Kind::Docx,
        "xlsx" | "xlsm" => Kind::Xlsx,
        "epub" => Kind::Epub,
        "csv" | "tsv" | "tab" => Kind::Csv,
        "html" | "htm" | "xhtml" => Kind::Html,
        "md" | "markdown" | "mdown" | "mdx" => Kind::Markdown,
        "json" | "jsonl" | "ndjson" | "geojson" => Kind::Json,
        "eml" => Kind::Eml,
        "txt" | "text" | "log" => Kind::Text,
        _ => return None,
    })
}

fn by_type(declared: &str) -> Option<Kind> {
    Some(match declared.split(';').next()?.trim().to_ascii_lowercase().as_str() {
        "application/pdf" => Kind::Pdf,
        "text/csv" | "text/tab-separated-values" => Kind::Csv,
        "text/html" | "application/xhtml+xml" => Kind::Html,
        "text/markdown" => Kind::Markdown,
        "application/json" | "application/x-ndjson" => Kind::Json,
        "message/rfc822" => Kind::Eml,
        "text/plain" => Kind::Text,
        _ => return None,
    })
}

fn is_packed(kind: Kind) -> bool {
    matches!(kind, Kind::Docx | Kind::Xlsx | Kind::Epub)
}

/// Whether most of the file is text, though some of it is not.
fn text_by_far(bytes: &[u8]) -> bool {
    let sample = &bytes[..bytes.len().min(65536)];
    sample.iter().filter(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace()).count() * 10 > sample.len() * 9
}

/// Whether the first lines are the header fields of a mail.
fn mail(head: &[u8]) -> bool {
    const FIELDS: [&str; 10] = [
        "from:",
        "to:",
        "subject:",
        "date:",
        "received:",
        "return-path:",
        "message-id:",
        "mime-version:",
        "delivered-to:",
        "reply-to:",
    ];
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    let header = head.split("\n\n").next().unwrap_or_default().split("\r\n\r\n").next().unwrap_or_default();
    let starts =
        header.lines().next().is_some_and(|line| line.split_once(':').is_some_and(|(field, _)| !field.contains(' ')));
    starts && FIELDS.iter().filter(|field| header.lines().any(|line| line.starts_with(**field))).count() >= 3
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}
