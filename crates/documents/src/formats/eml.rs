//! A mail: who, to whom, when, about what; then its text. Attachments are named, not opened.

use mail_parser::{Address, MessageParser, MimeHeaders};

use super::{html, text};
use crate::writer::Writer;
use crate::{Document, Unreadable};

/// Names of attachments and people listed.
const LISTED: usize = 200;

pub(super) fn read(bytes: &[u8], mut writer: Writer) -> Result<Document, Unreadable> {
    let mail = MessageParser::default().parse(bytes).ok_or_else(Unreadable::damaged)?;
    let subject = mail.subject().unwrap_or_default();
    writer.title(subject);
    let mut head = String::new();
    for (name, people) in [("From", mail.from()), ("To", mail.to()), ("Cc", mail.cc())] {
        if let Some(people) = people.map(addresses).filter(|people| !people.is_empty()) {
            head.push_str(&format!("{name}: {people}\n"));
        }
    }
    if let Some(date) = mail.date() {
        head.push_str(&format!("Date: {}\n", date.to_rfc3339()));
    }
    if !subject.is_empty() {
        head.push_str(&format!("Subject: {subject}\n"));
    }
    writer.paragraph(&head)?;
    // A part that exists as text and as HTML is listed under both; what exists as HTML alone is read as that.
    let mut plain = 0;
    for part in mail.text_bodies() {
        if part.is_text_html() {
            html::write(part.text_contents().unwrap_or_default(), &mut writer)?;
        } else if let Some(body) = part.text_contents() {
            text::write(body, &mut writer)?;
        }
        plain += 1;
    }
    if plain == 0 {
        for part in mail.html_bodies() {
            html::write(part.text_contents().unwrap_or_default(), &mut writer)?;
        }
    }
    let attached: Vec<&str> =
        mail.attachments().map(|part| part.attachment_name().unwrap_or("unnamed")).take(LISTED).collect();
    if !attached.is_empty() {
        writer.paragraph(&format!("Attachments: {}", attached.join(", ")))?;
        writer.note("The mail's attachments are named, but not read. Send each as a file of its own.");
    }
    Ok(writer.finish())
}

fn addresses(address: &Address<'_>) -> String {
    let one = |person: &mail_parser::Addr<'_>| match (person.name(), person.address()) {
        (Some(name), Some(address)) => format!("{name} <{address}>"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => String::new(),
    };
    address.iter().take(LISTED).map(one).collect::<Vec<_>>().join(", ")
}
