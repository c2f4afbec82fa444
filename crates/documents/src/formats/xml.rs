//! The little of XML that packed documents need: names without their prefix, attributes, and text with its entities resolved.
//!
//! Documents with a DTD are refused (none of the formats has one), so no entity can be defined, and none expands.

use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use crate::Unreadable;

/// How deep elements may nest.
const DEPTH: usize = 4096;

/// What is met while reading, elements by their name without prefix.
pub(super) enum Xml<'e, 'b> {
    Start(&'e str, &'e BytesStart<'b>),
    End(&'e str),
    Text(&'e str),
}

/// Reads a whole XML text.
///
/// # Errors
/// [`crate::Code::Damaged`] where it is not well-formed, nests too deeply, or defines entities; and what `each` gives.
pub(super) fn read(xml: &str, mut each: impl FnMut(Xml<'_, '_>) -> Result<(), Unreadable>) -> Result<(), Unreadable> {
    let mut reader = Reader::from_str(xml.trim_start_matches('\u{FEFF}'));
    reader.config_mut().expand_empty_elements = true;
    let mut depth = 0_usize;
    loop {
        match reader.read_event().map_err(|_| Unreadable::damaged())? {
            Event::Start(element) => {
                depth += 1;
                if depth > DEPTH {
                    return Err(Unreadable::damaged());
                }
                each(Xml::Start(local(element.name().as_ref()), &element))?;
            }
            Event::End(element) => {
                depth = depth.saturating_sub(1);
                each(Xml::End(local(element.name().as_ref())))?;
            }
            Event::Text(text) => each(Xml::Text(&text))?,
            Event::CData(text) => each(Xml::Text(&text))?,
            Event::GeneralRef(entity) => each(Xml::Text(&resolved(&entity)))?,
            Event::DocType(_) => return Err(Unreadable::damaged()),
            Event::Eof => break,
            _ => {}
        }
    }
    if depth == 0 { Ok(()) } else { Err(Unreadable::damaged()) }
}

fn local(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or_default()
}

fn resolved(entity: &BytesRef<'_>) -> String {
    match entity.resolve_char_ref() {
        Ok(Some(c)) => c.to_string(),
        _ => resolve_xml_entity(entity).unwrap_or_default().to_owned(),
    }
}

/// An attribute by its name without prefix.
pub(super) fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    element
        .attributes()
        .with_checks(false)
        .flatten()
        .find(|attribute| attribute.key.local_name().as_ref() == name)
        .and_then(|attribute| {
            attribute.normalized_value(XmlVersion::Implicit1_0).ok().map(std::borrow::Cow::into_owned)
        })
}
