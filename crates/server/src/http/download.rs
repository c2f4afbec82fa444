//! A file that goes out as it once came in: what it is called, what kind it is, which bytes of it are wanted, and nothing that a
//! browser would run.

use std::ops::Range;

use aide::OperationInput;
use aide::generate::GenContext;
use aide::openapi::Operation;
use axum::extract::FromRequestParts;
use axum::http::HeaderName;
use axum::http::header::{IF_NONE_MATCH, IF_RANGE, RANGE};
use axum::http::request::Parts;

use super::error::Problem;
use crate::App;

/// Kinds of files: how their names end, as what they were read, and their type. Of texts the encoding is not said: it is whatever it was.
const KINDS: &[(&[&str], &str, &str)] = &[
    (&["pdf"], "pdf", "application/pdf"),
    (&["docx"], "docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    (&["xlsx"], "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    (&["epub"], "epub", "application/epub+zip"),
    (&["csv"], "csv", "text/csv"),
    (&["html", "htm", "xhtml"], "html", "text/html"),
    (&["md", "markdown"], "markdown", "text/markdown"),
    (&["txt", "text", "log"], "text", "text/plain"),
    (&["json"], "json", "application/json"),
    (&["eml"], "eml", "message/rfc822"),
];

/// What a file is called when nothing of its name is left.
const NAMELESS: &str = "original";

/// The name and the type with which a file goes out, by the name with which it came and by what it was read as (empty when it was not).
pub(crate) fn named(name: &str, kind: &str) -> (String, &'static str) {
    let name = safe(name);
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    let known = |ending: &str| KINDS.iter().find(|(endings, ..)| endings.contains(&ending));
    if let Some((_, _, media)) = ending.as_deref().and_then(known) {
        return (name, media);
    }
    match KINDS.iter().find(|(_, read, _)| *read == kind) {
        Some((endings, _, media)) => (format!("{name}.{}", endings[0]), media),
        None => (name, "application/octet-stream"),
    }
}

/// The last part of a name, without what some system takes for more than a letter.
fn safe(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or("");
    let plain = |c: char| if c.is_control() || "\"<>:|?*".contains(c) { '_' } else { c };
    let name: String = last.chars().map(plain).collect();
    let name = name.trim_matches([' ', '.']);
    if name.is_empty() { NAMELESS.to_owned() } else { name.to_owned() }
}

/// `Content-Disposition` for a file that is to be kept and not shown: its name in ASCII for old clients, and as it is (RFC 6266, 8187).
pub(crate) fn attachment(name: &str) -> String {
    let old = |c: char| if (c.is_ascii_graphic() && !"\"\\%;'".contains(c)) || c == ' ' { c } else { '_' };
    let old: String = name.chars().map(old).collect();
    let mut full = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
            full.push(char::from(byte));
        } else {
            full.push_str(&format!("%{byte:02X}"));
        }
    }
    format!("attachment; filename=\"{old}\"; filename*=UTF-8''{full}")
}

/// Which bytes of a file are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Extent {
    /// All of them.
    Whole,
    /// Some, at least one.
    Part(Range<u64>),
    /// Some that there are not.
    Beyond,
}

/// What a client has of a file already, and what it wants of it.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    has: Option<String>,
    range: Option<String>,
    only_of: Option<String>,
}

impl Wanted {
    /// Whether the client has the file with this tag.
    pub(crate) fn has(&self, tag: &str) -> bool {
        let is_it = |seen: &str| seen == "*" || seen.strip_prefix("W/").unwrap_or(seen) == tag;
        self.has.as_deref().is_some_and(|has| has.split(',').any(|seen| is_it(seen.trim())))
    }

    /// Which bytes are wanted of a file with this tag and size. What is no single range gets the whole, as if it had not been asked for.
    pub(crate) fn extent(&self, tag: &str, size: u64) -> Extent {
        if self.only_of.as_deref().is_some_and(|seen| seen.trim() != tag) {
            return Extent::Whole;
        }
        let asked = self.range.as_deref().and_then(|range| range.trim().strip_prefix("bytes="));
        let Some((first, last)) = asked.and_then(|range| range.split_once('-')) else { return Extent::Whole };
        let range = match (number(first), number(last)) {
            (Some(Some(first)), Some(None)) => first..size,
            (Some(Some(first)), Some(Some(last))) if first <= last => first..last.saturating_add(1).min(size),
            (Some(None), Some(Some(last))) => size.saturating_sub(last)..size,
            _ => return Extent::Whole,
        };
        if range.is_empty() { Extent::Beyond } else { Extent::Part(range) }
    }
}

/// A number, or that there is none; nothing when it is something else.
fn number(text: &str) -> Option<Option<u64>> {
    let text = text.trim();
    if text.is_empty() {
        return Some(None);
    }
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    // What does not fit is beyond the end of any file.
    digits.then(|| Some(text.parse().unwrap_or(u64::MAX)))
}

impl FromRequestParts<App> for Wanted {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Problem> {
        let text = |name: HeaderName| parts.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        Ok(Self { has: text(IF_NONE_MATCH), range: text(RANGE), only_of: text(IF_RANGE) })
    }
}

impl OperationInput for Wanted {
    fn operation_input(_: &mut GenContext, operation: &mut Operation) {
        operation.parameters.extend(["If-None-Match", "Range", "If-Range"].map(crate::openapi::header_parameter));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leads_nowhere_and_ends_nothing() {
        for (name, kind, expected) in [
            ("travel.md", "", ("travel.md", "text/markdown")),
            ("Plan.PDF", "text", ("Plan.PDF", "application/pdf")),
            ("folder/../a\\b.txt", "", ("b.txt", "text/plain")),
            ("https://example.com/page?x=1", "html", ("page_x=1.html", "text/html")),
            ("https://example.com/", "html", ("original.html", "text/html")),
            ("..", "", ("original", "application/octet-stream")),
            ("a\"; filename=\"b.exe\r\nx: y", "", ("a_; filename=_b.exe__x_ y", "application/octet-stream")),
        ] {
            let (named, media) = named(name, kind);
            assert_eq!((named.as_str(), media), expected, "{name}");
        }
    }

    #[test]
    fn old_clients_get_a_plain_name_and_others_the_whole() {
        let said = attachment("Bericht; 100% \u{dc}ber 'Br\u{fc}cken'.pdf");
        let old = "filename=\"Bericht_ 100_ _ber _Br_cken_.pdf\"";
        let full = "filename*=UTF-8''Bericht%3B%20100%25%20%C3%9Cber%20%27Br%C3%BCcken%27.pdf";
        assert_eq!(said, format!("attachment; {old}; {full}"));
    }

    #[test]
    fn a_range_is_one_that_there_is() {
        let extent =
            |range: &str, size| Wanted { range: Some(range.into()), ..Wanted::default() }.extent("\"t\"", size);
        let part = |range| Extent::Part(range);
        for (range, size, expected) in [
            ("bytes=0-", 10, part(0..10)),
            ("bytes=3-5", 10, part(3..6)),
            ("bytes=3-99999999999999999999999", 10, part(3..10)),
            ("bytes=-4", 10, part(6..10)),
            ("bytes=-40", 10, part(0..10)),
            ("bytes=9-9", 10, part(9..10)),
            ("bytes=10-", 10, Extent::Beyond),
            ("bytes=99999999999999999999999-", 10, Extent::Beyond),
            ("bytes=-0", 10, Extent::Beyond),
            ("bytes=0-", 0, Extent::Beyond),
            ("bytes=5-3", 10, Extent::Whole),
            ("bytes=0-1,3-4", 10, Extent::Whole),
            ("bytes=-", 10, Extent::Whole),
            ("bytes=+1-2", 10, Extent::Whole),
            ("lines=0-1", 10, Extent::Whole),
        ] {
            assert_eq!(extent(range, size), expected, "{range} of {size}");
        }
        let of = |seen: &str| Wanted { range: Some("bytes=0-1".into()), only_of: Some(seen.into()), has: None };
        assert_eq!(of("\"t\"").extent("\"t\"", 10), part(0..2));
        assert_eq!(of("\"other\"").extent("\"t\"", 10), Extent::Whole);
        assert_eq!(of("W/\"t\"").extent("\"t\"", 10), Extent::Whole, "it may be another");
    }

    #[test]
    fn a_client_may_have_it_already() {
        let has = |seen: &str| Wanted { has: Some(seen.into()), ..Wanted::default() }.has("\"t\"");
        assert!(has("\"t\"") && has("\"a\", W/\"t\"") && has("*"));
        assert!(!has("t") && !has("\"a\", \"b\"") && !Wanted::default().has("\"t\""));
    }
}
