//! Books: the chapters in the order of the spine, each read as HTML.

use std::collections::HashMap;

use super::html;
use super::xml::{self, Xml, attribute};
use crate::package::Package;
use crate::writer::Writer;
use crate::{Document, Unreadable};

pub(super) fn read(mut package: Package<'_>, mut writer: Writer) -> Result<Document, Unreadable> {
    if package.has("META-INF/encryption.xml") && protected(&package.text("META-INF/encryption.xml")?)? {
        return Err(Unreadable::encrypted());
    }
    let mut root = None;
    xml::read(&package.text("META-INF/container.xml")?, |event| {
        if let Xml::Start("rootfile", element) = event {
            root = root.take().or_else(|| attribute(element, "full-path"));
        }
        Ok(())
    })?;
    let root = root.ok_or_else(Unreadable::damaged)?;
    let book = Book::read(&package.text(&root)?)?;
    writer.title(&book.title);
    let folder = root.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut missing = 0;
    for chapter in &book.spine {
        let Some((href, media_type, properties)) = book.manifest.get(chapter) else { continue };
        // The table of contents repeats the headings.
        if properties.split_whitespace().any(|property| property == "nav") || !media_type.contains("html") {
            continue;
        }
        let name = within(folder, href);
        if package.has(&name) {
            html::write(&package.text(&name)?, &mut writer)?;
        } else {
            missing += 1;
        }
    }
    if missing > 0 {
        writer.note(format!("{missing} chapters that the book lists are not in it."));
    }
    Ok(writer.finish())
}

/// Whether more than fonts is encrypted.
fn protected(encryption: &str) -> Result<bool, Unreadable> {
    let mut protected = false;
    xml::read(encryption, |event| {
        if let Xml::Start("CipherReference", element) = event {
            let uri = attribute(element, "URI").unwrap_or_default().to_ascii_lowercase();
            let extension = uri.rsplit('.').next().unwrap_or_default();
            protected |= matches!(extension, "html" | "xhtml" | "htm" | "xml");
        }
        Ok(())
    })?;
    Ok(protected)
}

#[derive(Default)]
struct Book {
    title: String,
    /// By id: where, of what type, with what properties.
    manifest: HashMap<String, (String, String, String)>,
    spine: Vec<String>,
}

impl Book {
    fn read(package: &str) -> Result<Self, Unreadable> {
        let mut book = Self::default();
        let mut in_title = false;
        xml::read(package, |event| {
            match event {
                Xml::Start("title", _) => in_title = book.title.is_empty(),
                Xml::Start("item", element) => {
                    let get = |name| attribute(element, name).unwrap_or_default();
                    book.manifest.insert(get("id"), (get("href"), get("media-type"), get("properties")));
                }
                Xml::Start("itemref", element) => book.spine.extend(attribute(element, "idref")),
                Xml::End("title") => in_title = false,
                Xml::Text(text) if in_title => book.title.push_str(text),
                _ => {}
            }
            Ok(())
        })?;
        // The same chapter a thousand times is one chapter.
        let mut seen = std::collections::HashSet::new();
        book.spine.retain(|chapter| seen.insert(chapter.clone()));
        Ok(book)
    }
}

/// A reference relative to a folder of the archive. What leads out of it is not found there.
fn within(folder: &str, href: &str) -> String {
    let href = href.split('#').next().unwrap_or_default();
    let href = percent_encoding::percent_decode_str(href).decode_utf8_lossy();
    let mut path: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in href.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(path.pop()),
            part => path.push(part),
        }
    }
    path.join("/")
}
